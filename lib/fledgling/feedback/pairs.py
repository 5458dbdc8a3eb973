"""A pair of replies as tokens, and how a model scores it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from fledgling.feedback.examples import ChatExample, PreferencePair, encode


@dataclass(frozen=True)
class PairRow:
    """A pair as tokens: the prompt, and both replies with their end-of-sequence."""

    prompt: list[int]
    chosen: list[int]
    rejected: list[int]


@dataclass(frozen=True)
class PairScore:
    """How likely a model finds both replies: sums of log-probabilities in nats, and tokens."""

    chosen: float
    rejected: float
    chosen_tokens: int
    rejected_tokens: int

    @property
    def prefers_chosen(self) -> bool:
        """By the mean log-probability of a token, so that a short reply has no advantage."""
        return self.chosen / self.chosen_tokens > self.rejected / self.rejected_tokens


def encode_pair(tokenizer: Any, pair: PreferencePair, max_tokens: int) -> PairRow | None:
    """A pair as tokens, the prompt cut alike for both replies; None where no room is left."""
    rows = [
        encode(
            tokenizer,
            ChatExample((*pair.prompt, {"role": "assistant", "content": reply})),
            max_tokens,
        )
        for reply in (pair.chosen, pair.rejected)
    ]
    if None in rows:
        return None
    starts = [sum(label < 0 for label in row.labels) for row in rows]
    prompt = min(starts)  # the longer reply may have cost the prompt a turn
    shortest = rows[starts.index(prompt)]
    chosen, rejected = (row.ids[start:] for row, start in zip(rows, starts, strict=True))
    return PairRow(shortest.ids[:prompt], chosen, rejected)


@torch.no_grad()
def score_pairs(
    model: torch.nn.Module, tokenizer: Any, pairs: Sequence[PreferencePair], *, max_tokens: int
) -> list[PairScore]:
    """How likely a causal model finds both replies of each pair; the model is run as it is, with
    whatever adapter acts. Pairs that leave no room are scored as ties.
    """
    scores = []
    for pair in pairs:
        row = encode_pair(tokenizer, pair, max_tokens)
        if row is None:
            scores.append(PairScore(0.0, 0.0, 1, 1))
            continue
        chosen, rejected = (
            _log_probability(model, row.prompt, reply) for reply in (row.chosen, row.rejected)
        )
        scores.append(PairScore(chosen, rejected, len(row.chosen), len(row.rejected)))
    return scores


def _log_probability(model: torch.nn.Module, prompt: list[int], reply: list[int]) -> float:
    ids = torch.tensor([prompt + reply], device=next(model.parameters()).device)
    logits = model(input_ids=ids, logits_to_keep=len(reply) + 1).logits[0, :-1].float()  # (T, V)
    targets = ids[0, len(prompt) :]
    return float(logits.log_softmax(-1).gather(1, targets[:, None]).sum())
