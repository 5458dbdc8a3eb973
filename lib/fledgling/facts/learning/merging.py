"""Linear maps in closed form: what one map must be to do, for each input, what another map did.

Ridge regression over the inputs that rows give (Jin et al., 2023, RegMean, arXiv:2212.09849; Meng
et al., 2023, MEMIT, arXiv:2210.07229), then the nearest map of lower rank, where near means what it
gives for these inputs and not its entries.
"""

from __future__ import annotations

import torch
from torch import Tensor


class Ridge:
    """The map W (O, D) that minimises ``sum w |W x - y|^2 + damping * mean(diag) * |W|^2``."""

    def __init__(self, inputs: int, outputs: int) -> None:
        self.gram = torch.zeros(inputs, inputs, dtype=torch.float64)
        self.cross = torch.zeros(inputs, outputs, dtype=torch.float64)

    def add(self, inputs: Tensor, outputs: Tensor, weights: Tensor) -> None:
        """Take in (…, D) inputs with the (…, O) outputs they should give, each with a weight; one
        of weight 0 is left out.
        """
        counts = weights > 0  # (…)
        keys, weights = inputs[counts].float(), weights[counts].float()
        weighed = (keys * weights[:, None]).T
        self.gram += (weighed @ keys).double().cpu()
        self.cross += (weighed @ outputs[counts].float()).double().cpu()

    def factors(self, rank: int, damping: float) -> tuple[Tensor, Tensor]:
        """(rank, D) and (O, rank), whose product is the best map of that rank: the leading singular
        directions of ``W C`` with ``C C^T`` the damped second moment of the inputs.
        """
        damped = self.gram + damping * self.gram.diagonal().mean() * torch.eye(len(self.gram))
        root = torch.linalg.cholesky(damped)  # (D, D)
        half = torch.linalg.solve_triangular(root, self.cross, upper=False).T  # (O, D): W C
        left, values, right = torch.linalg.svd(half, full_matrices=False)
        rank = min(rank, len(values))
        reads = torch.linalg.solve_triangular(root.T, right[:rank].T, upper=True).T  # V^T C^-1
        scales = values[:rank].sqrt()
        return (scales[:, None] * reads).float(), (left[:, :rank] * scales).float()
