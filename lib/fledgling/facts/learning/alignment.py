"""Where a fresh adapter looks: its A matrices set to the directions in which the rows' own
activations differ.

A random A of rank r sees a random r-dimensional shadow of its inputs, in which the tokens of one
sentence hardly differ, and an adapter that cannot tell two tokens apart repeats itself. The leading
directions of the inputs' variance tell them apart best (EVA, Paischer et al., 2024,
arXiv:2410.07170). Here they are also scaled to nearly equal variance, the input half of a
Kronecker-factored preconditioner (Martens and Grosse, 2015, arXiv:1503.05671), so that one rate
suits all of them. B stays zero: an aligned adapter still changes nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fledgling.models.rows import IGNORED, AdaptedModel, Rows


@torch.no_grad()
def align(adapted: AdaptedModel, rows: Rows, *, scale: float, damping: float) -> None:
    """Set every A (r, in) from the inputs at the labelled positions of ``rows``.

    ``scale`` is the deviation of the first component of A·x; ``damping``, relative to the largest
    deviation, keeps directions of little variance small. Where activations are not finite A stays
    as it is: the update's own check refuses what follows.
    """
    inputs = _inputs(adapted, rows)
    if not all(bool(torch.isfinite(seen).all()) for seen in inputs.values()):
        return
    found: dict[int, Tensor] = {}  # gate and up projections read the same tensor
    for name, parameter in adapted.adapter.parameters.items():
        if "lora_A" in name:
            seen = inputs[name.split(".lora_A")[0]]
            rank = parameter.shape[0]
            if id(seen) not in found:
                found[id(seen)] = directions(seen[rows.labels != IGNORED].float(), rank, damping)
            parameter.copy_(scale * found[id(seen)])


def directions(inputs: Tensor, rank: int, damping: float) -> Tensor:
    """(N, D) inputs → (rank, D): their leading principal directions over their damped deviations.

    With fewer than ``rank`` directions to be found the others are zero.
    """
    centred = inputs - inputs.mean(0)
    values, vectors = torch.linalg.eigh(centred @ centred.T)  # N is far below D
    values, vectors = values.flip(0)[:rank].clamp(min=0), vectors.flip(1)[:, :rank]
    known = values > 1e-6 * values[0].clamp(min=1e-12)
    lengths = values[known].sqrt()
    deviations = lengths / len(inputs) ** 0.5
    units = (centred.T @ vectors[:, known]) / lengths
    found = inputs.new_zeros(rank, inputs.shape[1])
    found[: len(lengths)] = (units / (deviations + damping * deviations[:1])).T
    return found


def _inputs(adapted: AdaptedModel, rows: Rows) -> dict[str, Tensor]:
    """What every adapted projection reads on ``rows``, (B, T, in), by the module's name."""
    inputs: dict[str, Tensor] = {}
    hooks = []
    for name, module in adapted.adapter.model.named_modules():
        if hasattr(module, "lora_A"):
            hooks.append(
                module.register_forward_pre_hook(
                    lambda _, given, name=name: inputs.__setitem__(name, given[0])
                )
            )
    try:
        adapted.last_hidden(rows)
    finally:
        for hook in hooks:
            hook.remove()
    return inputs
