"""Two optimisers as one: Muon for the graph layers' matrices, Adam for everything else.

Muon makes its momentum orthogonal, so that rare directions learn as fast as common ones (Keller
Jordan et al. 2024, https://kellerjordan.github.io/posts/muon). ``torch.optim.Muon`` does the same
one matrix at a time in bfloat16; this one does all square blocks at once in float32, which CPUs
without bfloat16 need.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import partial

import torch
from torch.optim.lr_scheduler import LambdaLR

from fledgling.tasks.settings import TasksSection

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic iteration, from the post


class Optimizers:
    """Steps all parameters with rates that rise and fall over one phase of ``updates`` updates."""

    def __init__(
        self,
        parameters: Mapping[str, torch.nn.Parameter],
        section: TasksSection,
        *,
        updates: int,
        factor: float = 1.0,
        extra: tuple[torch.nn.Parameter, ...] = (),
    ) -> None:
        # Matrices made of whole square blocks, as wide as the graph's hidden states.
        matrices = {
            name: one
            for name, one in parameters.items()
            if section.matrix_lr > 0
            and ".layers." in name
            and one.ndim == 2
            and all(side % section.graph.hidden == 0 for side in one.shape)
        }
        others = [one for name, one in parameters.items() if name not in matrices]
        self.clip_norm = section.clip_norm
        self.parameters = [*parameters.values(), *extra]
        adam = torch.optim.AdamW(
            others,
            lr=section.lr * factor,
            betas=section.adam_betas,
            weight_decay=section.weight_decay,
            fused=True,  # one kernel for all tensors: there are many small ones
        )
        if extra:
            # Learned loss weights are not to be pulled towards 0, which stands for weight 1.
            adam.add_param_group({"params": list(extra), "weight_decay": 0.0})
        self.all: list[torch.optim.Optimizer] = [adam]
        if matrices:
            self.all.append(Muon(matrices.values(), section, lr=section.matrix_lr * factor))
        share = partial(
            rate_share, updates=updates, warmup=max(1, round(section.warmup_share * updates))
        )
        self.schedules = [LambdaLR(one, share) for one in self.all]

    def step(self) -> None:
        """Clip, update, forget the gradients."""
        torch.nn.utils.clip_grad_norm_(self.parameters, self.clip_norm)
        for optimizer, schedule in zip(self.all, self.schedules, strict=True):
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()


def rate_share(number: int, updates: int, warmup: int) -> float:
    """The share of the peak rate at update ``number``: linear up over ``warmup`` updates, then a
    cosine to 0.
    """
    if number < warmup:
        return (number + 1) / warmup
    return 0.5 + 0.5 * math.cos(math.pi * min(1.0, (number - warmup) / max(1, updates - warmup)))


def orthogonalise(matrices: torch.Tensor, steps: int) -> torch.Tensor:
    """(G, D, D) → the nearest orthogonal matrices, nearly: singular values end between about 0.7
    and 1.2.
    """
    a, b, c = COEFFICIENTS
    # The iteration converges from singular values of at most 1, and a norm bounds the largest.
    x = matrices / (torch.linalg.matrix_norm(matrices, keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.transpose(-1, -2)
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x


class Muon(torch.optim.Optimizer):
    """For matrices (R, C) where both are multiples of the smallest side D: each D × D block is
    updated by itself. ``lr`` is the size of an update in units where 1 turns a weight matrix over.
    """

    def __init__(
        self, matrices: Iterable[torch.nn.Parameter], section: TasksSection, *, lr: float
    ) -> None:
        super().__init__(list(matrices), {"lr": lr})
        self.section = section
        self.matrices: list[torch.nn.Parameter] = self.param_groups[0]["params"]
        self.side = min(min(matrix.shape) for matrix in self.matrices)
        self.counts = [matrix.numel() // self.side**2 for matrix in self.matrices]
        self.momentum = torch.cat([self._blocks(torch.zeros_like(one)) for one in self.matrices])

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """One update of all matrices; those without a gradient keep their momentum for later."""
        lr = self.param_groups[0]["lr"]
        grads = [torch.zeros_like(one) if one.grad is None else one.grad for one in self.matrices]
        gradients = torch.cat([self._blocks(one) for one in grads])
        self.momentum.lerp_(gradients, 1 - self.section.muon_momentum)
        # Nesterov's look ahead: the gradient of now, moved on by the momentum of now.
        ahead = gradients.lerp_(self.momentum, self.section.muon_momentum)
        updates = orthogonalise(ahead, self.section.muon_steps).split(self.counts)
        for matrix, update in zip(self.matrices, updates, strict=True):
            matrix.mul_(1 - lr * self.section.weight_decay)
            matrix.sub_(self._whole(update, matrix.shape), alpha=lr)

    def _blocks(self, matrix: torch.Tensor) -> torch.Tensor:
        """(R, C) → (R/D · C/D, D, D)."""
        rows = matrix.view(-1, self.side, matrix.shape[1] // self.side, self.side)
        return rows.transpose(1, 2).reshape(-1, self.side, self.side)

    def _whole(self, blocks: torch.Tensor, shape: torch.Size) -> torch.Tensor:
        rows = blocks.view(-1, shape[1] // self.side, self.side, self.side)
        return rows.transpose(1, 2).reshape(shape)
