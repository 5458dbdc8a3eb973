"""The gate's reader: a sentence encoder, adapted to read a fact and a question together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from fledgling.core.errors import ModelError
from fledgling.core.paths import DATA
from fledgling.models.loading import Embedder, load_embedder

SCORERS = DATA / "facts" / "gate" / "scorers"
TARGETS = ("query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense")
LORA_SCALE, MAX_LENGTH = 2.0, 96  # alpha over rank; tokens of a pair


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
        """(fact, question) pairs → (N,) float32 probabilities that the question asks for what the
        fact states.
        """
        scores = np.zeros(len(pairs), dtype=np.float32)
        order = sorted(
            range(len(pairs)), key=lambda index: len(pairs[index][0]) + len(pairs[index][1])
        )
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            logits = self.logits([pairs[index] for index in chosen])
            scores[chosen] = torch.sigmoid(logits).numpy()
        return scores

    def logits(self, pairs: Sequence[tuple[str, str]]) -> torch.Tensor:
        """(N,) logits; differentiable where the encoder is being trained."""
        batch = self.encoder.tokenizer(
            [fact for fact, _ in pairs],
            [question for _, question in pairs],
            padding=True,
            truncation=True,
            max_length=MAX_LENGTH,
            return_tensors="pt",
        )
        return self.head(self.encoder.model(**batch).last_hidden_state[:, 0]).squeeze(-1)


@dataclass(frozen=True)
class Ensemble:
    """Scorers trained apart, whose mean logit decides (a deep ensemble, Lakshminarayanan et al.,
    2017): their errors are only partly the same.
    """

    members: tuple[PairScorer, ...]

    def score(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        """(fact, question) pairs → (N,) float32 probabilities that the question asks for what the
        fact states.
        """
        logits = [
            np.log(scores) - np.log1p(-scores)
            for scores in (
                member.score(pairs).astype(np.float64).clip(1e-6, 1 - 1e-6)
                for member in self.members
            )
        ]
        return (1.0 / (1.0 + np.exp(-np.mean(logits, axis=0)))).astype(np.float32)


def load_scorers(folder: Path = SCORERS) -> Ensemble:
    """The packaged scorers. Raises ``ModelError`` when there is none, or one is damaged."""
    paths = sorted(folder.glob("*.safetensors"))
    if not paths:
        raise ModelError(
            f"there is no scorer in {folder}; restore it from the repository, or train one with: "
            "python benchmarks/train_gate.py"
        )
    return Ensemble(tuple(load_pair_scorer(path) for path in paths))


def load_pair_scorer(path: Path) -> PairScorer:
    """One scorer: LoRA factors (read as safetensors) merged into the packaged sentence encoder.

    Raises ``ModelError`` when the file is missing, damaged or of other shapes.
    """
    encoder = load_embedder()
    try:
        tensors = load_file(path)
    except Exception as error:  # safetensors raises its own, undocumented type
        raise ModelError(
            f"the gate's scorer {path} cannot be read: {error}; restore it from the repository, or"
            " train it again with: python benchmarks/train_gate.py"
        ) from error
    modules = dict(encoder.model.named_modules())
    head = torch.nn.Linear(encoder.model.config.hidden_size, 1)
    try:
        for name in {key.rsplit(".lora_", 1)[0] for key in tensors if ".lora_" in key}:
            down, up = tensors[f"{name}.lora_A"].float(), tensors[f"{name}.lora_B"].float()
            modules[name].weight.data += LORA_SCALE * up @ down
        head.load_state_dict(
            {"weight": tensors["head.weight"].float(), "bias": tensors["head.bias"].float()}
        )
    except (KeyError, RuntimeError) as error:
        raise ModelError(
            f"the gate's scorer {path} does not fit the packaged encoder: {error}"
        ) from error
    return PairScorer(encoder, head.requires_grad_(False))
