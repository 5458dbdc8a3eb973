"""Penalties that hold parameters near where an earlier task left them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import torch

Batch = TypeVar("Batch")
Tensors = dict[str, torch.Tensor]


def snapshot(parameters: Mapping[str, torch.Tensor]) -> Tensors:
    """A copy of the parameters by name."""
    return {name: parameter.detach().clone() for name, parameter in parameters.items()}


def fisher_diagonal(
    parameters: Mapping[str, torch.nn.Parameter],
    loss: Callable[[Batch], torch.Tensor],
    batches: Iterable[Batch],
) -> Tensors:
    """The diagonal of the empirical Fisher information: the mean squared gradient of ``loss`` over
    ``batches``.

    ``loss(batch)`` is a scalar in nats. Batches of one example give the empirical Fisher itself,
    larger ones a cheaper, smaller estimate. Gradients that a parameter holds already are left as
    they are.
    """
    totals = {name: torch.zeros_like(parameter) for name, parameter in parameters.items()}
    count = 0
    for batch in batches:
        gradients = torch.autograd.grad(loss(batch), list(parameters.values()), allow_unused=True)
        for name, gradient in zip(parameters, gradients, strict=True):
            if gradient is not None:
                totals[name] += gradient.detach().square()
        count += 1
    return {name: total / max(1, count) for name, total in totals.items()}


def ewc_penalty(
    parameters: Mapping[str, torch.Tensor],
    anchor: Mapping[str, torch.Tensor],
    fisher: Mapping[str, torch.Tensor],
) -> torch.Tensor:
    """½ Σ Fᵢ (θᵢ − θ*ᵢ)² over all parameters, a scalar (Kirkpatrick et al. 2017, arXiv:1612.00796,
    equation 3).
    """
    terms = [
        (fisher[name] * (parameter - anchor[name]).square()).sum()
        for name, parameter in parameters.items()
    ]
    return 0.5 * torch.stack(terms).sum()
