"""The language model as a backbone: LoRA adapter, mean-pooled last hidden states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from fledgling.core.errors import DataError
from fledgling.models.adapters import Adapter
from fledgling.models.loading import LoadedModel
from fledgling.models.settings import LoraSection
from fledgling.tasks.model import duplicate


@dataclass(frozen=True)
class TokenRows:
    """N tokenised texts of up to T tokens: ``ids`` (N, T), ``sizes`` (N,); padding stands on the
    right.
    """

    ids: torch.Tensor
    sizes: torch.Tensor

    def select(self, rows: torch.Tensor) -> TokenRows:
        """The texts at ``rows`` (B,), cut to the longest of them."""
        sizes = self.sizes[rows]
        return TokenRows(self.ids[rows, : int(sizes.max())], sizes)


class LlmBackbone(nn.Module):
    """A frozen causal language model with a trainable adapter; a text's vector is the mean over its
    tokens. ``base`` itself is left as it is.
    """

    def __init__(self, base: LoadedModel, section: LoraSection, *, seed: int) -> None:
        super().__init__()
        # Attaching an adapter changes a model in place; the next backbone starts from a plain one.
        loaded = replace(base, model=duplicate(base.model))
        self.adapter = Adapter(loaded, section, seed)
        self.model, self.tokenizer = self.adapter.model.model, base.tokenizer
        self.width, self.device = base.model.config.hidden_size, base.device
        self.max_tokens = base.max_length
        self._description = {
            "kind": "llm",
            "hidden_size": self.width,
            "layers": base.model.config.num_hidden_layers,
            "adapter": section.model_dump(),
        }
        # Hidden states of a language model have a few huge directions; normed, the heads can learn.
        self.norm = nn.LayerNorm(self.width)

    def describe(self) -> dict[str, Any]:
        """What is needed to build this backbone again, as JSON; the language model itself is not
        stored.
        """
        return self._description

    def unread(self, text: str) -> str:
        """Empty: the tokenizer spells everything out in bytes."""
        return ""

    def prepare(self, texts: Sequence[str]) -> TokenRows:
        """The texts as token rows. Raises ``DataError`` for an empty or too long text."""
        ids = self.tokenizer(list(texts))["input_ids"]
        for text, tokens in zip(texts, ids, strict=True):
            if not text.strip():
                raise DataError(
                    f"the text {text[:20]!r} is empty; give at least one character that is not"
                    " white space"
                )
            if len(tokens) > self.max_tokens:
                raise DataError(
                    f"the text {text[:20] + '…'!r} has {len(text)} characters, {len(tokens)}"
                    f" tokens; this model reads at most {self.max_tokens} tokens: shorten it"
                )
        rows = [torch.tensor(tokens, device=self.device) for tokens in ids]
        sizes = torch.tensor([len(tokens) for tokens in ids], device=self.device)
        return TokenRows(nn.utils.rnn.pad_sequence(rows, batch_first=True), sizes)

    def forward(self, rows: TokenRows) -> torch.Tensor:
        """(B, D): the mean of the last hidden states over each text's tokens."""
        places = torch.arange(rows.ids.shape[1], device=rows.ids.device)
        mask = places[None] < rows.sizes[:, None]  # (B, T)
        hidden = self.model(
            input_ids=rows.ids, attention_mask=mask.long(), use_cache=False
        ).last_hidden_state
        weights = mask.unsqueeze(-1) / rows.sizes[:, None, None]
        return self.norm((hidden.float() * weights).sum(dim=1))
