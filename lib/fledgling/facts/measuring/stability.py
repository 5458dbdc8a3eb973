"""How far the tuned model has moved from the frozen base, along the base's own answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Drift:
    """Sums over answer tokens; parts of a set of anchors add up."""

    tokens: int = 0
    kept: int = 0
    kl: float = 0.0
    base_nll: float = 0.0
    nll: float = 0.0

    def __add__(self, other: Drift) -> Drift:
        return Drift(
            *(getattr(self, name) + getattr(other, name) for name in Drift.__dataclass_fields__)
        )


def drift(base_logits: Tensor, logits: Tensor, targets: Tensor) -> Drift:
    """Compare two models at the same positions. Shapes: (N, V), (N, V), (N,).

    ``kept`` counts positions whose top-1 token is still the base's; ``kl`` sums KL(base‖tuned) in
    nats.
    """
    base, tuned = base_logits.log_softmax(-1), logits.log_softmax(-1)
    picked = targets.unsqueeze(-1)
    return Drift(
        tokens=targets.numel(),
        kept=int((base.argmax(-1) == tuned.argmax(-1)).sum()),
        kl=float((base.exp() * (base - tuned)).sum()),
        base_nll=float(-base.gather(-1, picked).sum()),
        nll=float(-tuned.gather(-1, picked).sum()),
    )


def stability_metrics(total: Drift, unchanged: Sequence[bool]) -> dict[str, float | None]:
    """``anchor_kl`` (nats per token), ``locality`` (share of top-1 tokens kept),
    ``anchor_ppl_ratio`` (tuned over base), ``answers_unchanged`` (share of anchors whose greedy
    answer is identical).
    """
    if total.tokens == 0:
        return dict.fromkeys(("anchor_kl", "locality", "anchor_ppl_ratio", "answers_unchanged"))
    return {
        "anchor_kl": total.kl / total.tokens,
        "locality": total.kept / total.tokens,
        "anchor_ppl_ratio": math.exp((total.nll - total.base_nll) / total.tokens),
        "answers_unchanged": sum(unchanged) / len(unchanged) if unchanged else None,
    }
