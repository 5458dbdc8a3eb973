"""Losses and gradients where several tasks share parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch.nn import functional


def distillation_loss(
    logits: torch.Tensor, earlier: torch.Tensor, temperature: float
) -> torch.Tensor:
    """(B,) KL(earlier ‖ now) in nats of the softened answers, times T² (Li and Hoiem 2016,
    arXiv:1606.09282).

    ``logits``, ``earlier``: (B, C); no gradient flows into ``earlier``.
    """
    target = functional.log_softmax(earlier.detach() / temperature, dim=-1)
    now = functional.log_softmax(logits / temperature, dim=-1)
    return (
        functional.kl_div(now, target, reduction="none", log_target=True).sum(dim=-1)
        * temperature**2
    )


def uncertainty_weighted(
    losses: Mapping[str, torch.Tensor], log_variances: Mapping[str, torch.Tensor]
) -> torch.Tensor:
    """Σ exp(−sₜ) Lₜ + sₜ / 2, a scalar; s = log σ² is learned (Kendall et al. 2018,
    arXiv:1705.07115).
    """
    terms = [
        loss * (-log_variances[task]).exp() + 0.5 * log_variances[task]
        for task, loss in losses.items()
    ]
    return torch.stack(terms).sum()


def project_conflicts(gradients: Sequence[torch.Tensor], order: torch.Generator) -> torch.Tensor:
    """PCGrad (Yu et al. 2020, arXiv:2001.06782): each gradient loses what points against another,
    then all are summed.

    ``gradients``: one flat (P,) vector a task. ``order`` draws the sequence in which the others are
    looked at.
    """
    total = torch.zeros_like(gradients[0])
    for mine, gradient in enumerate(gradients):
        changed = gradient.clone()
        for other in torch.randperm(len(gradients), generator=order).tolist():
            product = changed @ gradients[other]
            if other != mine and product < 0:
                changed -= (
                    product / gradients[other].square().sum().clamp_min(1e-12) * gradients[other]
                )
        total += changed
    return total


def cosine(one: torch.Tensor, other: torch.Tensor) -> float:
    """The cosine of two flat gradients; below 0 the tasks conflict. 0 where one of them is zero."""
    return float(functional.cosine_similarity(one, other, dim=0))
