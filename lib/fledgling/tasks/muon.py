"""Muon: momentum whose matrices are made orthogonal, so that rare directions learn as fast as
common ones.

Keller Jordan et al. 2024, https://kellerjordan.github.io/posts/muon. ``torch.optim.Muon`` does the
same one matrix at a time in bfloat16; this one does all square blocks at once in float32, which
CPUs without bfloat16 need.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic iteration, from the post


def orthogonalise(matrices: torch.Tensor, steps: int) -> torch.Tensor:
    """(G, D, D) → the nearest orthogonal matrices, nearly: singular values end between about 0.7
    and 1.2.
    """
    a, b, c = COEFFICIENTS
    x = matrices / (torch.linalg.matrix_norm(matrices, keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.transpose(-1, -2)
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x


class Muon(torch.optim.Optimizer):
    """For matrices (R, C) where both are multiples of the smallest side D: each D × D block is
    updated by itself.

    ``lr`` is the size of an update in units where 1 turns a weight matrix over; ``steps`` of the
    iteration, 3 to 6.
    """

    def __init__(
        self,
        matrices: Iterable[torch.nn.Parameter],
        lr: float,
        *,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        steps: int = 5,
    ) -> None:
        super().__init__(
            list(matrices), {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        )
        self.steps = steps
        self.side = min(min(matrix.shape) for matrix in self.param_groups[0]["params"])

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """One update of all matrices; those without a gradient keep their momentum for later."""
        for group in self.param_groups:
            matrices = group["params"]
            gradients = torch.cat(
                [
                    self._blocks(
                        matrix.grad if matrix.grad is not None else torch.zeros_like(matrix)
                    )
                    for matrix in matrices
                ]
            )
            state = self.state[matrices[0]]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(gradients)
            state["momentum"].lerp_(gradients, 1 - group["momentum"])
            updates = orthogonalise(
                gradients.lerp_(state["momentum"], group["momentum"]), self.steps
            )
            start = 0
            for matrix in matrices:
                count = matrix.numel() // self.side**2
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.sub_(
                    self._whole(updates[start : start + count], matrix.shape), alpha=group["lr"]
                )
                start += count

    def _blocks(self, matrix: torch.Tensor) -> torch.Tensor:
        """(R, C) → (R/D · C/D, D, D)."""
        side = self.side
        rows, columns = matrix.shape[0] // side, matrix.shape[1] // side
        return matrix.view(rows, side, columns, side).transpose(1, 2).reshape(-1, side, side)

    def _whole(self, blocks: torch.Tensor, shape: torch.Size) -> torch.Tensor:
        side = self.side
        return (
            blocks.view(shape[0] // side, shape[1] // side, side, side)
            .transpose(1, 2)
            .reshape(shape)
        )
