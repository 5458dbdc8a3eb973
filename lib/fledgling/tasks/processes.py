"""The processes of one training: one by default, several under ``accelerate launch`` or
``torchrun``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import torch
from torch.nn.utils import parameters_to_vector, vector_to_parameters


class Processes:
    """Shares every batch among the processes and adds their gradients up.

    Each process computes its rows' part of the *global* mean loss, so the sum of gradients is that
    of one process with the whole batch. Outside a launcher there is one process and nothing to do.
    """

    def __init__(self, device: torch.device) -> None:
        self.count, self.rank, self.device = 1, 0, device
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            from accelerate import PartialState

            # Gloo on processors, NCCL on GPUs, where every process gets a device of its own.
            state = PartialState(cpu=device.type == "cpu")
            self.count, self.rank = state.num_processes, state.process_index
            self.device = state.device

    def share(self, rows: torch.Tensor) -> torch.Tensor:
        """This process's part of a batch of rows. Rows of like length stand side by side, so
        taking every ``count``-th gives all processes the same work.
        """
        return rows[self.rank :: self.count]

    def sum_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Replace every gradient by its sum over the processes."""
        if self.count == 1:
            return
        # One long message: a sum of each of a hundred small tensors waits a hundred times.
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        vector_to_parameters(self.sum(parameters_to_vector(gradients)), gradients)

    def sum(self, tensor: torch.Tensor) -> torch.Tensor:
        """The sum of a tensor over the processes."""
        if self.count == 1:
            return tensor
        from accelerate.utils import reduce

        return reduce(tensor, "sum")
