"""The language model as a backbone: LoRA adapter, mean-pooled last hidden states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from fledgling.core.errors import DataError
from fledgling.models.adapters import Adapter
from fledgling.models.loading import LoadedModel
from fledgling.models.settings import AdapterSection


@dataclass(frozen=True)
class TokenRows:
    """N tokenised texts of up to T tokens: ``ids`` (N, T), ``sizes`` (N,); padding stands on the
    right.
    """

    ids: torch.Tensor
    sizes: torch.Tensor

    def __len__(self) -> int:
        return len(self.sizes)

    def select(self, rows: torch.Tensor) -> TokenRows:
        """The texts at ``rows`` (B,), cut to the longest of them."""
        sizes = self.sizes[rows]
        return TokenRows(self.ids[rows, : int(sizes.max())], sizes)


class LlmBackbone(nn.Module):
    """A frozen causal language model with a trainable adapter; a text's vector is the mean over its
    tokens.

    ``max_characters``: longer texts are refused, as the graph backbone refuses them.
    """

    def __init__(
        self, loaded: LoadedModel, section: AdapterSection, *, seed: int, max_characters: int = 512
    ) -> None:
        super().__init__()
        self.adapter = Adapter(loaded, section, seed)
        self.model, self.tokenizer = self.adapter.model.model, loaded.tokenizer
        self.width, self.device, self.max_characters = (
            loaded.model.config.hidden_size,
            loaded.device,
            max_characters,
        )
        self._description = {
            "kind": "llm",
            "hidden_size": self.width,
            "layers": loaded.model.config.num_hidden_layers,
            "adapter": section.model_dump(),
        }
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
        for text in texts:
            if not text.strip():
                raise DataError(
                    f"the text {text[:20]!r} is empty; give at least one character that is not"
                    " white space"
                )
            if len(text) > self.max_characters:
                raise DataError(
                    f"the text {text[:20] + '…'!r} has {len(text)} characters; this model reads at"
                    f" most {self.max_characters}: shorten it"
                )
        encoded = self.tokenizer(
            list(texts), padding=True, padding_side="right", return_tensors="pt"
        )
        return TokenRows(
            encoded["input_ids"].to(self.device),
            encoded["attention_mask"].sum(dim=1).to(self.device),
        )

    def forward(self, rows: TokenRows) -> torch.Tensor:
        """(B, D): the mean of the last hidden states over each text's tokens."""
        mask = (
            torch.arange(rows.ids.shape[1], device=rows.ids.device)[None] < rows.sizes[:, None]
        )  # (B, T)
        hidden = self.model(
            input_ids=rows.ids, attention_mask=mask.long(), use_cache=False
        ).last_hidden_state
        weights = mask.unsqueeze(-1) / rows.sizes[:, None, None]
        return self.norm((hidden.float() * weights).sum(dim=1))
