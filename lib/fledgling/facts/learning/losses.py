"""Loss terms as functions of logits: each is returned, and the trainer sums them in one line."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def weighted_cross_entropy(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Σ wᵢ · CE(logitsᵢ, targetᵢ) / Σ wᵢ, in nats per weighted token.

    Shapes: logits (N, V), targets (N,), weights (N,). Raises ``ValueError`` when all weights
    are zero.

    >>> logits = torch.log(torch.tensor([[0.5, 0.5], [0.9, 0.1]]))
    >>> targets, weights = torch.tensor([0, 0]), torch.tensor([1.0, 0.0])
    >>> round(weighted_cross_entropy(logits, targets, weights).item(), 4)
    0.6931
    """
    total = weights.sum()
    if not total > 0:
        raise ValueError("the weights of a loss must not all be zero")
    return (functional.cross_entropy(logits, targets, reduction="none") * weights).sum() / total


def forward_kl(base_logits: Tensor, logits: Tensor) -> Tensor:
    """KL(base‖tuned), mean over positions, in nats per token.

    Shapes: both (N, V). Zero exactly where the two agree; penalises losing what the base finds
    likely.
    """
    base = functional.log_softmax(base_logits, dim=-1)
    return functional.kl_div(
        functional.log_softmax(logits, dim=-1), base, log_target=True, reduction="batchmean"
    )


def row_means(values: Tensor, row_of: Tensor, rows: int) -> Tensor:
    """(N,) values per token → (B,) means per row."""
    sums = torch.zeros(rows, dtype=values.dtype, device=values.device).index_add_(0, row_of, values)
    counts = torch.zeros_like(sums).index_add_(0, row_of, torch.ones_like(values))
    return sums / counts.clamp(min=1)


def kl_weight(weight: float, *, confidence: float, confident_share: float) -> float:
    """The KL weight of one fact: ``weight`` for a doubtful fact, falling linearly to ``weight ×
    confident_share`` for one detected with confidence 1, so that what was clearly said may move the
    model further.

    >>> kl_weight(0.1, confidence=1.0, confident_share=0.1)
    0.01
    """
    return weight * (1.0 - confidence * (1.0 - confident_share))


def kl_weight_for_budget(
    weight: float, *, measured: float, budget: float, bounds: tuple[float, float]
) -> float:
    """The next KL weight that steers a measured KL to its budget: doubled above 1.5 × budget,
    halved below budget / 1.5 (Schulman et al., 2017, adaptive KL penalty), kept within bounds.
    """
    if measured > 1.5 * budget:
        weight *= 2.0
    elif measured < budget / 1.5:
        weight *= 0.5
    return min(max(weight, bounds[0]), bounds[1])
