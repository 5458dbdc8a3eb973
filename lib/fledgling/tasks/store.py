"""A multi-task model on disk: ``model.safetensors`` and ``model.json``, no pickle, the same bytes
every time.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save

from fledgling.core.errors import ModelError
from fledgling.core.files import write_atomically, write_json
from fledgling.core.settings import Section
from fledgling.tasks.encoding import Vocabulary
from fledgling.tasks.graph import GraphBackbone
from fledgling.tasks.model import MultitaskModel, answer_logits
from fledgling.tasks.settings import GraphSection
from fledgling.tasks.study import Study

FORMAT = 1
WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"
RETRAIN = "copy it again from where it was saved, or train the model anew"


class Description(Section):
    """``model.json``: how to build the model, and what its weights must look like."""

    format: Literal[1]
    backbone: dict[str, Any]
    classes: dict[str, list[str]]
    tensors: dict[str, list[int]]
    sha256: str


def save_model(model: MultitaskModel, folder: Path) -> None:
    """Write what was trained and what it is; two saves of one model give the same bytes.

    The language-model backbone is stored as its adapter and heads only.
    """
    # By name: the order in which a model registers its parts is no part of what it is.
    trained = sorted(model.trained().items())
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in trained}
    blob = save(tensors)
    description = describe(
        model,
        tensors={name: [*tensor.shape] for name, tensor in tensors.items()},
        sha256=hashlib.sha256(blob).hexdigest(),
    )
    write_atomically(folder / WEIGHTS, lambda path: path.write_bytes(blob))
    write_json(folder / DESCRIPTION, description.model_dump())


def describe(model: MultitaskModel, **weights: Any) -> Description:
    """What ``model.json`` says of a model whose ``weights`` are described by shape and checksum."""
    classes = {task: list(answers) for task, answers in model.classes.items()}
    return Description(
        format=FORMAT, backbone=model.backbone.describe(), classes=classes, **weights
    )


def load_graph_model(folder: Path, *, device: torch.device | None = None) -> MultitaskModel:
    """The model in ``folder``, giving the same logits as when it was saved.

    Raises ``ModelError`` when a file is missing, cut short, altered, of another format or of
    another shape.
    """
    description, tensors = read_model(folder)
    kind = description.backbone.get("kind")
    if kind != "graph":
        raise ModelError(f"{folder} holds a {kind!r} backbone; build that and use load_into")
    try:
        shape = GraphSection.model_validate(description.backbone["shape"])
        graph = GraphBackbone(shape, Vocabulary(description.backbone["characters"]))
    except (ValidationError, KeyError, TypeError) as error:
        raise ModelError(
            f"{folder / DESCRIPTION} does not describe a graph model ({error}); {RETRAIN}"
        ) from error
    model = MultitaskModel(graph, description.classes)
    fill(model, tensors, folder)
    return model.to(device or torch.device("cpu")).eval()


def load_into(model: MultitaskModel, folder: Path) -> MultitaskModel:
    """Put what ``folder`` holds into a model of the same kind and shape. Raises ``ModelError``
    where they differ.
    """
    saved, tensors = read_model(folder)
    mine = describe(model, tensors={}, sha256="")
    for key in ("backbone", "classes"):
        if getattr(saved, key) != getattr(mine, key):
            was, is_now = (f"{getattr(one, key)!s:.60}" for one in (saved, mine))
            raise ModelError(
                f"{folder} was saved with another {key} ({was}) than this model's ({is_now});"
                " build the model as it was, or choose another folder"
            )
    fill(model, tensors, folder)
    return model


def measure_stored(model: MultitaskModel, study: Study) -> dict[str, float]:
    """``file_megabytes`` of the saved model, and ``logits_identical``: 1 where it answers all of
    validation as before once it is loaded again.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_model(model, folder)
        size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        again = load_into(study.model(), folder)
    same = all(
        torch.equal(*(answer_logits(one, part.validation.inputs, task) for one in (model, again)))
        for task, part in study.parts.items()
    )
    return {"file_megabytes": size, "logits_identical": float(same)}


def read_model(folder: Path) -> tuple[Description, dict[str, torch.Tensor]]:
    """The description and the tensors, checked against each other."""
    try:
        text, blob = ((folder / name).read_bytes() for name in (DESCRIPTION, WEIGHTS))
        description = Description.model_validate_json(text)
    except (OSError, ValidationError) as error:
        raise ModelError(
            f"{folder} does not hold a readable multi-task model of format {FORMAT} ({error});"
            f" {RETRAIN}"
        ) from error
    try:
        tensors = load(blob)
    except (SafetensorError, ValueError, KeyError) as error:
        raise ModelError(
            f"{folder / WEIGHTS} is cut short or not safetensors ({error}); {RETRAIN}"
        ) from error
    if hashlib.sha256(blob).hexdigest() != description.sha256:
        raise ModelError(
            f"{folder / WEIGHTS} was altered after it was saved: its checksum differs from the one"
            f" in {DESCRIPTION}; {RETRAIN}"
        )
    return description, tensors


def fill(model: MultitaskModel, tensors: Mapping[str, torch.Tensor], folder: Path) -> None:
    """Copy ``tensors`` into the model's trained parts. Raises ``ModelError`` naming the first that
    does not fit.
    """
    wanted = model.trained()
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
