"""Two optimisers as one: Muon for the graph layers' matrices, Adam for everything else."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

from fledgling.tasks.muon import Muon
from fledgling.tasks.settings import TasksSection


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
        matrices = {
            name: one
            for name, one in parameters.items()
            if section.matrix_lr > 0
            and one.ndim == 2
            and ".layers." in name
            and _fits(one, section)
        }
        others = [one for name, one in parameters.items() if name not in matrices]
        self.updates, self.warmup, self.clip_norm = (
            updates,
            max(1, round(section.warmup_share * updates)),
            section.clip_norm,
        )
        self.parameters = [*parameters.values(), *extra]
        self.number = 0
        adam = torch.optim.AdamW(
            others,
            lr=section.lr * factor,
            betas=(0.9, 0.98),
            weight_decay=section.weight_decay,
            fused=True,
        )
        if extra:
            adam.add_param_group({"params": list(extra), "weight_decay": 0.0})
        self.all: list[torch.optim.Optimizer] = [adam]
        if matrices:
            self.all.append(
                Muon(
                    matrices.values(),
                    section.matrix_lr * factor,
                    steps=section.muon_steps,
                    weight_decay=section.weight_decay,
                )
            )
        self.peaks = [[group["lr"] for group in one.param_groups] for one in self.all]

    def step(self) -> None:
        """Clip, update, forget the gradients."""
        share = rate_share(self.number, self.updates, self.warmup)
        torch.nn.utils.clip_grad_norm_(self.parameters, self.clip_norm)
        for optimizer, peaks in zip(self.all, self.peaks, strict=True):
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * share
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.number += 1


def _fits(matrix: torch.Tensor, section: TasksSection) -> bool:
    side = section.graph.hidden
    return matrix.shape[0] % side == 0 and matrix.shape[1] % side == 0


def rate_share(number: int, updates: int, warmup: int) -> float:
    """The share of the peak rate at update ``number``: linear up over ``warmup`` updates, then a
    cosine to 0.
    """
    if number < warmup:
        return (number + 1) / warmup
    return 0.5 + 0.5 * math.cos(math.pi * min(1.0, (number - warmup) / max(1, updates - warmup)))
