"""The processes of one training: one by default, several under ``accelerate launch``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import torch


class Processes:
    """Shares every batch among the processes and adds their gradients up.

    Each process computes its rows' part of the *global* mean loss, so the sum of gradients is that
    of one process with the whole batch. Outside ``accelerate launch`` and ``torchrun`` there is one
    process and nothing to do.
    """

    def __init__(self, device: torch.device) -> None:
        self._reduce: Any = None
        self.count, self.rank, self.device = 1, 0, device
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            from accelerate import PartialState
            from accelerate.utils import reduce

            state = PartialState(cpu=device.type == "cpu")
            self.count, self.rank, self.device = (
                state.num_processes,
                state.process_index,
                state.device,
            )
            self._reduce = reduce

    @property
    def is_main(self) -> bool:
        """True in the process that writes files."""
        return self.rank == 0

    def share(self, rows: torch.Tensor) -> torch.Tensor:
        """This process's part of a batch of rows."""
        return rows[self.rank :: self.count]

    def sum_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Replace every gradient by its sum over the processes."""
        if self.count == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = self.sum(torch.cat([gradient.reshape(-1) for gradient in gradients]))
        start = 0
        for gradient in gradients:
            gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
            start += gradient.numel()

    def sum(self, tensor: torch.Tensor) -> torch.Tensor:
        """The sum of a tensor over the processes."""
        return tensor if self._reduce is None else self._reduce(tensor, "sum")
