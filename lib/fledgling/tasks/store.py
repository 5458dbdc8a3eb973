"""A multi-task model on disk: ``model.safetensors`` and ``model.json``, no pickle, the same bytes
every time.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from fledgling.core.errors import DataError, ModelError
from fledgling.core.files import read_json, write_atomically, write_json
from fledgling.tasks.graph_encoding import Vocabulary
from fledgling.tasks.model import GraphBackbone, GraphShape, MultitaskModel

FORMAT = 1
WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"
RETRAIN = "copy it again from where it was saved, or train the model anew"


def save_model(model: MultitaskModel, folder: Path) -> None:
    """Write what was trained and what it is; two saves of one model give the same bytes.

    The language-model backbone is stored as its adapter and heads only.
    """
    tensors = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in sorted(trained_tensors(model).items())
    }
    blob = save(tensors)
    description = {
        "format": FORMAT,
        "backbone": model.backbone.describe(),
        "classes": model.classes,
        "tensors": {name: [*tensor.shape] for name, tensor in tensors.items()},
        "sha256": hashlib.sha256(blob).hexdigest(),
    }
    write_atomically(folder / WEIGHTS, lambda path: path.write_bytes(blob))
    write_json(folder / DESCRIPTION, description)


def load_graph_model(folder: Path, *, device: torch.device | None = None) -> MultitaskModel:
    """The model in ``folder``, giving the same logits as when it was saved.

    Raises ``ModelError`` when a file is missing, cut short, altered, of another format or of
    another shape.
    """
    description, tensors = read_model(folder)
    backbone = description["backbone"]
    if backbone.get("kind") != "graph":
        raise ModelError(
            f"{folder} holds a {backbone.get('kind')!r} backbone; build that and use load_into"
        )
    try:
        shape = GraphShape(**backbone["shape"])
        model = MultitaskModel(
            GraphBackbone(shape, Vocabulary(backbone["characters"])), description["classes"]
        )
    except (KeyError, TypeError, ValueError, ZeroDivisionError, RuntimeError) as error:
        raise ModelError(
            f"{folder / DESCRIPTION} does not describe a graph model ({error}); {RETRAIN}"
        ) from error
    fill(model, tensors, folder)
    return model.to(device or torch.device("cpu")).eval()


def load_into(model: MultitaskModel, folder: Path) -> MultitaskModel:
    """Put what ``folder`` holds into a model of the same kind and shape. Raises ``ModelError``
    where they differ.
    """
    description, tensors = read_model(folder)
    mine = {
        "backbone": model.backbone.describe(),
        "classes": {t: list(c) for t, c in model.classes.items()},
    }
    for key, value in mine.items():
        if description[key] != value:
            raise ModelError(
                f"{folder} was saved with another {key} ({_short(description[key])}) than this"
                f" model's ({_short(value)}); build the model as it was, or choose another folder"
            )
    fill(model, tensors, folder)
    return model


def read_model(folder: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """The description and the tensors, checked against each other."""
    try:
        description = read_json(folder / DESCRIPTION)
        blob = (folder / WEIGHTS).read_bytes()
    except (DataError, OSError) as error:
        raise ModelError(
            f"{folder} does not hold a readable multi-task model ({error}); {RETRAIN}"
        ) from error
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        found = (
            description.get("format")
            if isinstance(description, dict)
            else type(description).__name__
        )
        raise ModelError(
            f"{folder / DESCRIPTION} has format {found!r}; this version reads format {FORMAT}:"
            f" {RETRAIN}"
        )
    missing = [
        key for key in ("backbone", "classes", "tensors", "sha256") if key not in description
    ]
    if (
        missing
        or not isinstance(description["backbone"], dict)
        or not isinstance(description["classes"], dict)
    ):
        raise ModelError(
            f"{folder / DESCRIPTION} lacks {', '.join(missing) or 'a mapping'}; {RETRAIN}"
        )
    try:
        tensors = load(blob)
    except (SafetensorError, ValueError, KeyError) as error:
        raise ModelError(
            f"{folder / WEIGHTS} is cut short or not safetensors ({error}); {RETRAIN}"
        ) from error
    if hashlib.sha256(blob).hexdigest() != description["sha256"]:
        raise ModelError(
            f"{folder / WEIGHTS} was altered after it was saved: its checksum differs from the one"
            f" in {DESCRIPTION}; {RETRAIN}"
        )
    return description, tensors


def fill(model: MultitaskModel, tensors: dict[str, torch.Tensor], folder: Path) -> None:
    """Copy ``tensors`` into the model's trained parts. Raises ``ModelError`` naming the first that
    does not fit.
    """
    wanted = trained_tensors(model)
    odd = sorted(wanted.keys() ^ tensors.keys())
    if odd:
        where = "lacks" if odd[0] in wanted else "has the surplus"
        raise ModelError(f"{folder / WEIGHTS} {where} tensor {odd[0]!r}; {RETRAIN}")
    for name, tensor in wanted.items():
        if tensors[name].shape != tensor.shape:
            raise ModelError(
                f"{folder / WEIGHTS}: tensor {name!r} has shape {tuple(tensors[name].shape)}, the "
                f"description needs {tuple(tensor.shape)}; {RETRAIN}"
            )
        tensor.data.copy_(tensors[name])


def trained_tensors(model: MultitaskModel) -> dict[str, torch.Tensor]:
    """The parameters that training changes, by name."""
    return {
        name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad
    }


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"
