"""How the tasks' losses and gradients are weighed against each other on what they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch.nn import functional
from torch.nn.utils import parameters_to_vector


def weighted(
    losses: Mapping[str, torch.Tensor], weights: Mapping[str, float]
) -> dict[str, torch.Tensor]:
    """Each task's loss times its weight; 1 where none is given."""
    return {task: weights.get(task, 1.0) * loss for task, loss in losses.items()}


def uncertainty_weighted(
    losses: Mapping[str, torch.Tensor], log_variances: Mapping[str, torch.Tensor], share: float
) -> torch.Tensor:
    """Σ exp(−sₜ) Lₜ + ``share`` · sₜ / 2, a scalar; s = log σ² is learned (Kendall et al. 2018,
    arXiv:1705.07115).

    ``share`` is 1 over the number of processes: each has its part of the loss, but all of s.
    """
    return sum(
        loss * (-log_variances[task]).exp() + 0.5 * share * log_variances[task]
        for task, loss in losses.items()
    )


def project_conflicts(gradients: Sequence[torch.Tensor], order: torch.Generator) -> torch.Tensor:
    """PCGrad (Yu et al. 2020, arXiv:2001.06782): each gradient loses what points against another,
    then all are summed.

    ``gradients``: one flat (P,) vector a task. ``order`` draws the sequence in which the others are
    looked at.
    """
    total = torch.zeros_like(gradients[0])
    for mine, own in enumerate(gradients):
        changed = own.clone()
        for other in torch.randperm(len(gradients), generator=order).tolist():
            against = gradients[other]
            product = changed @ against
            if other != mine and product < 0:
                # A zero gradient has nothing to lose; the clamp keeps 0 / 0 out.
                changed -= product / against.square().sum().clamp_min(1e-12) * against
        total += changed
    return total


def cosine(one: torch.Tensor, other: torch.Tensor) -> float:
    """The cosine of two flat gradients; below 0 the tasks conflict. 0 where one of them is zero."""
    return float(functional.cosine_similarity(one, other, dim=0))


def gradient(loss: torch.Tensor, parameters: Sequence[torch.nn.Parameter]) -> torch.Tensor:
    """The loss's gradient as one (P,) vector; 0 for a parameter that it does not reach."""
    return parameters_to_vector(torch.autograd.grad(loss, parameters, materialize_grads=True))


def set_gradient(flat: torch.Tensor, parameters: Sequence[torch.nn.Parameter]) -> None:
    """Make the pieces of ``flat`` (P,) the parameters' gradients."""
    pieces = flat.split([parameter.numel() for parameter in parameters])
    for parameter, piece in zip(parameters, pieces, strict=True):
        parameter.grad = piece.view_as(parameter)
