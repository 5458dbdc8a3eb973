"""How fast this machine multiplies matrices, and how much of the model an update runs through."""

from __future__ import annotations

import time

import torch

from fledgling.models.loading import LoadedModel

_SHAPE = (
    512,
    1536,
    576,
)  # rows, inner, columns: an MLP projection of the embedded model on 512 tokens


def matmul_rate(loaded: LoadedModel, *, trials: int = 30) -> float:
    """Floating-point operations a second of a 512×1536×576 product in the model's dtype on its
    device: the best of ``trials``, which other load on the machine disturbs least.
    """
    rows, inner, columns = _SHAPE
    left = torch.randn(rows, inner, dtype=loaded.model.dtype, device=loaded.device)
    right = torch.randn(inner, columns, dtype=loaded.model.dtype, device=loaded.device)
    best = min(_seconds(left, right) for _ in range(trials))
    return 2.0 * rows * inner * columns / best


def _seconds(left: torch.Tensor, right: torch.Tensor) -> float:
    started = time.perf_counter()
    left @ right
    if left.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def parameter_count(loaded: LoadedModel) -> int:
    """Parameters of the base, its embedding table counted once."""
    return sum(
        parameter.numel()
        for name, parameter in loaded.model.named_parameters()
        if "lora_" not in name
    )


def parameters_run(loaded: LoadedModel, first_layer: int) -> int:
    """Parameters of the layers that an update runs through: those from the first adapted one up.
    The frozen layers below run once a fact, and the head only where labels are.
    """
    layers = loaded.model.model.layers[first_layer:]
    return sum(
        parameter.numel() for name, parameter in layers.named_parameters() if "lora_" not in name
    )
