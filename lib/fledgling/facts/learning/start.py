"""Where an adapter starts: weights that were learned beforehand, over many facts.

``learned``: from there a few updates on any fact teach it. They are learned beforehand over
many facts (model-agnostic meta-learning, first-order; Finn et al., 2017, arXiv:1703.03400):
practise one fact for as many updates as a turn has, ask its questions, and move the *start* by
the gradient found there. ``benchmarks/train_start.py`` does it, on tuning facts alone. The
start alone never acts: without updates the base answers. ``reader``: no update follows
(``facts/reader.py``).
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from fledgling.core.errors import ModelError
from fledgling.core.files import write_atomically
from fledgling.core.paths import DATA
from fledgling.models.adapters import Adapter

STARTS, READERS = DATA / "facts" / "starts", DATA / "facts" / "readers"
FOLDERS = {"learned": STARTS, "reader": READERS}  # by facts.adapter.start


def learned_start(adapter: Adapter, folder: Path = STARTS) -> dict[str, torch.Tensor]:
    """The start for these weights and this shape of adapter. Raises ``ModelError`` where there is
    none, it is damaged, or it has another shape.
    """
    found = find_start(adapter, folder)
    if found is None:
        known = ", ".join(path.stem for path in sorted(folder.glob("*.safetensors"))) or "none"
        raise ModelError(
            f"there is no learned {folder.name[:-1]} for this model's weights ({known});"
            f" {_hint(folder)}"
        )
    return found


def find_start(adapter: Adapter, folder: Path = STARTS) -> dict[str, torch.Tensor] | None:
    """Like ``learned_start``, None where there is none for these weights."""
    wanted, hint = adapter.made_for, _hint(folder)
    paths = sorted(folder.glob("*.safetensors"))
    for path in paths:
        made_for, tensors = _read(path, hint)
        if made_for != wanted:
            continue
        shapes = {name: tensor.shape for name, tensor in tensors.items()}
        if shapes != {name: each.shape for name, each in adapter.parameters.items()}:
            raise ModelError(f"{path} has another shape than facts.adapter; {hint}")
        return tensors
    return None


def _hint(folder: Path) -> str:
    trainer = f"benchmarks/train_{folder.name[:-1]}.py"
    return f"set another facts.adapter.start, or train one: python {trainer}"


def save_start(path: Path, adapter: Adapter, tensors: dict[str, torch.Tensor]) -> None:
    """Write a start for the adapter's model, in half precision."""
    halves = {name: tensor.half().contiguous() for name, tensor in tensors.items()}
    metadata = {"model": adapter.made_for}
    write_atomically(path, lambda temporary: save_file(halves, temporary, metadata))


def _read(path: Path, hint: str) -> tuple[str, dict[str, torch.Tensor]]:
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
            return (file.metadata() or {}).get("model", ""), tensors
    except Exception as error:  # safetensors raises its own, undocumented type
        raise ModelError(f"{path} cannot be read: {error}; restore it, or {hint}") from error
