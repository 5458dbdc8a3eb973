"""A sentence encoder, adapted to read two texts together and to say one probability or several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from fledgling.core.errors import ModelError
from fledgling.core.files import write_atomically
from fledgling.models.loading import Embedder, load_embedder

if TYPE_CHECKING:
    from transformers import BatchEncoding

TARGETS = ("query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense")
LORA_SCALE, MAX_LENGTH = 2.0, 128  # alpha over rank; tokens of a pair


@dataclass(frozen=True)
class PairScorer:
    """A cross-encoder (Nogueira and Cho, 2019): the pair is read as one text, so that names can be
    compared letter by letter and what is asked with what is told. ``model`` is the packaged MiniLM
    with a trained LoRA merged in.
    """

    encoder: Embedder
    head: torch.nn.Linear

    @torch.no_grad()
    def score(self, pairs: Sequence[tuple[str, str]], batch_size: int = 64) -> np.ndarray:
        """Pairs of texts → (N,) float32 probabilities of what it was trained to tell."""
        scores = np.zeros(len(pairs), dtype=np.float32)
        for chosen in batches_by_length(pairs, batch_size):
            logits = self.logits([pairs[index] for index in chosen])
            scores[chosen] = torch.sigmoid(logits).numpy()
        return scores

    @torch.no_grad()
    def shares(self, pairs: Sequence[tuple[str, str]], batch_size: int = 64) -> np.ndarray:
        """Pairs of texts → (N, C) float32 probabilities of the classes it was trained to tell."""
        shares = np.zeros((len(pairs), self.head.out_features), dtype=np.float32)
        for chosen in batches_by_length(pairs, batch_size):
            logits = self.logits([pairs[index] for index in chosen])
            shares[chosen] = torch.softmax(logits, -1).numpy()
        return shares

    def tokens(self, pairs: Sequence[tuple[str, str]], *, offsets: bool = False) -> BatchEncoding:
        """Pairs as the encoder reads them, cut at ``MAX_LENGTH`` tokens; with ``offsets`` also the
        characters of every token.
        """
        return self.encoder.tokenizer(
            [first for first, _ in pairs],
            [second for _, second in pairs],
            padding=True,
            truncation=True,
            max_length=MAX_LENGTH,
            return_tensors="pt",
            return_offsets_mapping=offsets,
        )

    def logits(self, pairs: Sequence[tuple[str, str]]) -> torch.Tensor:
        """(N,) logits, (N, C) of several classes; differentiable where the encoder is being
        trained.
        """
        batch = self.tokens(pairs)
        return self.head(self.encoder.model(**batch).last_hidden_state[:, 0]).squeeze(-1)


def batches_by_length(pairs: Sequence[tuple[str, str]], batch_size: int) -> list[list[int]]:
    """The places of pairs in batches of about one length: a batch costs as its longest."""
    order = sorted(range(len(pairs)), key=lambda place: len(pairs[place][0]) + len(pairs[place][1]))
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def save_pair_scorer(path: Path, scorer: PairScorer, model: torch.nn.Module) -> None:
    """Write the LoRA factors of ``model``, the scorer's encoder, and its head, in half
    precision.
    """
    tensors = {
        name.removeprefix("base_model.model.").replace(".default.weight", ""): (
            value.detach().half().contiguous()
        )
        for name, value in model.named_parameters()
        if ".lora_" in name
    }
    tensors |= {
        "head.weight": scorer.head.weight.detach().half(),
        "head.bias": scorer.head.bias.detach().half(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda temporary: save_file(tensors, temporary))


def load_pair_scorer(path: Path, made_by: str) -> PairScorer:
    """One scorer: LoRA factors (read as safetensors) merged into the packaged sentence encoder.

    Raises ``ModelError`` when the file is missing, damaged or of other shapes; ``made_by`` is the
    command that it names.
    """
    encoder = load_embedder()
    try:
        tensors = load_file(path)
    except Exception as error:  # safetensors raises its own, undocumented type
        raise ModelError(
            f"the scorer {path} cannot be read: {error}; restore it from the repository, or"
            f" train it again with: {made_by}"
        ) from error
    modules = dict(encoder.model.named_modules())
    try:
        classes = tensors["head.weight"].shape[0]
        head = torch.nn.Linear(encoder.model.config.hidden_size, classes)
        for name in {key.rsplit(".lora_", 1)[0] for key in tensors if ".lora_" in key}:
            down, up = tensors[f"{name}.lora_A"].float(), tensors[f"{name}.lora_B"].float()
            modules[name].weight.data += LORA_SCALE * up @ down
        head.load_state_dict(
            {"weight": tensors["head.weight"].float(), "bias": tensors["head.bias"].float()}
        )
    except (KeyError, RuntimeError) as error:
        raise ModelError(f"the scorer {path} does not fit the packaged encoder: {error}") from error
    return PairScorer(encoder, head.requires_grad_(False))
