"""Adapters as PEFT folders: written whole or not at all, and refused where they do not fit."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from peft import PeftModel
from peft.utils import set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from fledgling.core.errors import ModelError
from fledgling.core.files import read_json
from fledgling.models.adapters import Adapter
from fledgling.models.loading import LoadedModel

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def write_peft(adapter: Adapter, folder: Path) -> None:
    """Save an adapter so that ``PeftModel.from_pretrained(base, folder)`` loads it. ``folder`` must
    not exist.

    Raises ``ModelError`` when it does, or when the disk does not take it; nothing is left behind.
    """
    if folder.exists():
        raise ModelError(f"{folder} exists already; give the adapter a folder of its own")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        adapter.peft.save_pretrained(str(temporary), selected_adapters=["default"])
        (temporary / "README.md").unlink(missing_ok=True)
        temporary.chmod(0o755)
        temporary.rename(folder)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"the adapter cannot be written to {folder}: {error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def read_weights(folder: Path) -> dict[str, Tensor]:
    """The tensors of a PEFT folder. Raises ``ModelError`` naming what is missing or damaged."""
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise ModelError(f"{folder} is not an adapter: it holds no {name}")
    try:
        return load_file(folder / WEIGHTS)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{folder / WEIGHTS} is damaged: {error}") from error


def check_fits(loaded: LoadedModel, folder: Path) -> dict[str, Tensor]:
    """The tensors of a PEFT folder, when each belongs to a projection of this model.

    Raises ``ModelError`` for an adapter of another model: a projection that this one lacks, or of
    another width.
    """
    weights = read_weights(folder)
    made_for = read_json(folder / CONFIG).get("base_model_name_or_path") or "an unnamed model"
    shapes = {name: tuple(tensor.shape) for name, tensor in loaded.model.named_parameters()}
    config = loaded.model.config
    for name, tensor in weights.items():
        place, _, part = name.removeprefix("base_model.model.").rpartition(".lora_")
        shape = shapes.get(f"{place}.weight") or shapes.get(f"{place}.base_layer.weight")
        if shape is None:
            raise ModelError(
                f"{folder} is an adapter of another model ({made_for}): it adapts {place}, which"
                f" this {config.model_type} of {config.num_hidden_layers} layers lacks"
            )
        side = _width(loaded, place, shape, inner=part.startswith("A"))
        have = tensor.shape[1] if part.startswith("A") else tensor.shape[0]
        if have != side:
            raise ModelError(
                f"{folder} is an adapter of another model ({made_for}): {place} is {have} wide"
                f" there and {side} here"
            )
    return weights


def _width(loaded: LoadedModel, place: str, shape: tuple[int, ...], *, inner: bool) -> int:
    """A projection's input or output width; four-bit weights are stored flat, so theirs is
    asked.
    """
    module = loaded.model.get_submodule(place)
    known = getattr(module, "in_features" if inner else "out_features", None)
    return int(known) if known is not None else shape[1 if inner else 0]


def restore_peft(adapter: Adapter, folder: Path) -> None:
    """Put the weights of a PEFT folder into an adapter of the same shape. Raises ``ModelError``
    where they differ.
    """
    weights = check_fits(adapter.loaded, folder)
    wanted = {name for name in adapter.parameters if "lora_" in name}
    given = {
        name.removeprefix("base_model.model.").replace(".weight", ".default.weight")
        for name in weights
    }
    if given != wanted:
        raise ModelError(
            f"{folder} adapts other layers or projections than the training section asks for;"
            " give the same rank, targets and layers"
        )
    try:
        set_peft_model_state_dict(adapter.peft, weights)
    except RuntimeError as error:
        raise ModelError(f"{folder} does not fit: {str(error).splitlines()[0]}") from error


def attach_peft(loaded: LoadedModel, folder: Path) -> PeftModel:
    """The model with the adapter of a PEFT folder acting on it. Raises ``ModelError`` where it does
    not fit.
    """
    check_fits(loaded, folder)
    return PeftModel.from_pretrained(loaded.model, str(folder)).eval()
