"""Saved and loaded: the same bytes, the same logits; anything damaged is refused."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save

from fledgling.core.errors import ModelError
from fledgling.tasks.encoding import Vocabulary
from fledgling.tasks.graph import GraphBackbone
from fledgling.tasks.model import MultitaskModel
from fledgling.tasks.settings import GraphSection
from fledgling.tasks.store import (
    DESCRIPTION,
    WEIGHTS,
    load_graph_model,
    load_into,
    measure_stored,
    save_model,
)
from fledgling.tasks.study import Study

SMALL = GraphSection(hidden=16, layers=2, heads=2, feed_forward=16, max_nodes=32)


def make(classes: tuple[str, ...] = ("x", "y"), section: GraphSection = SMALL, seed: int = 0):
    torch.manual_seed(seed)
    backbone = GraphBackbone(section, Vocabulary.covering(["ça va 1"]))
    return MultitaskModel(backbone, {"t": classes}).eval()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_model(make(), tmp_path / "model")
    return tmp_path / "model"


def checksummed(folder: Path, blob: bytes) -> None:
    """Write weights with a checksum that fits them, as someone would who altered both."""
    import hashlib

    (folder / WEIGHTS).write_bytes(blob)
    description = json.loads((folder / DESCRIPTION).read_text())
    (folder / DESCRIPTION).write_text(
        json.dumps(description | {"sha256": hashlib.sha256(blob).hexdigest()})
    )


def test_loaded_logits_are_identical(saved: Path) -> None:
    model, again = make(), load_graph_model(saved)
    inputs = model.backbone.prepare(["ça va", "first letter of cat"])
    assert torch.equal(model(inputs, "t"), again(inputs, "t"))
    assert again.classes == model.classes


def test_two_saves_give_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    save_model(load_graph_model(saved), tmp_path / "second")
    for name in (WEIGHTS, DESCRIPTION):
        assert (saved / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    assert sorted(path.name for path in saved.iterdir()) == [DESCRIPTION, WEIGHTS]


def test_the_default_size_is_below_five_megabytes(tmp_path: Path) -> None:
    save_model(
        make(section=GraphSection(hidden=128, layers=3, heads=4, feed_forward=128, max_nodes=64)),
        tmp_path,
    )
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 5e6


@pytest.mark.parametrize("kept", [0, 4, 100, -1])
def test_a_truncated_file_is_refused(saved: Path, kept: int) -> None:
    blob = (saved / WEIGHTS).read_bytes()
    (saved / WEIGHTS).write_bytes(blob[:kept])
    with pytest.raises(ModelError, match="cut short"):
        load_graph_model(saved)


def test_an_altered_file_is_refused(saved: Path) -> None:
    blob = bytearray((saved / WEIGHTS).read_bytes())
    blob[-3] ^= 1
    (saved / WEIGHTS).write_bytes(bytes(blob))
    with pytest.raises(ModelError, match="altered"):
        load_graph_model(saved)


def test_a_wrong_shape_is_named(saved: Path) -> None:
    tensors = load((saved / WEIGHTS).read_bytes())
    checksummed(saved, save(tensors | {"heads.0.bias": torch.zeros(3)}))
    with pytest.raises(ModelError, match=r"'heads.0.bias' has shape \(3,\)"):
        load_graph_model(saved)


@pytest.mark.parametrize(
    ("change", "message"), [("drop", "lacks tensor 'heads.0.bias'"), ("add", "surplus tensor")]
)
def test_missing_and_surplus_tensors_are_named(saved: Path, change: str, message: str) -> None:
    tensors = load((saved / WEIGHTS).read_bytes())
    if change == "drop":
        del tensors["heads.0.bias"]
    else:
        tensors["zz"] = torch.zeros(1)
    checksummed(saved, save(tensors))
    with pytest.raises(ModelError, match=message):
        load_graph_model(saved)


@pytest.mark.parametrize("name", [WEIGHTS, DESCRIPTION])
def test_a_missing_file_is_refused(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(ModelError, match="readable"):
        load_graph_model(saved)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"format": 2}',
        '{"format": 1}',
        '{"format": 1, "backbone": 3, "classes": {}, "tensors": {}, "sha256": ""}',
    ],
)
def test_a_broken_description_is_refused(saved: Path, text: str) -> None:
    (saved / DESCRIPTION).write_text(text)
    with pytest.raises(ModelError):
        load_graph_model(saved)


@pytest.mark.parametrize(
    "shape", [{"hidden": 16}, {"hidden": "wide"}, {"depth": 3}, {"hidden": 0}, None]
)
def test_a_description_of_another_shape_is_refused(saved: Path, shape) -> None:
    description = json.loads((saved / DESCRIPTION).read_text())
    description["backbone"]["shape"] = shape
    (saved / DESCRIPTION).write_text(json.dumps(description))
    with pytest.raises(ModelError):
        load_graph_model(saved)


def test_a_pickle_is_never_loaded(saved: Path) -> None:
    torch.save({"heads.0.bias": torch.zeros(2)}, saved / WEIGHTS)
    with pytest.raises(ModelError, match="not safetensors"):
        load_graph_model(saved)


def test_loading_into_a_model_of_the_same_kind(saved: Path) -> None:
    again = load_into(make(seed=5), saved)
    assert torch.equal(again.heads[0].weight, make().heads[0].weight)
    with pytest.raises(ModelError, match="another classes"):
        load_into(make(classes=("x", "z")), saved)


def test_measuring_what_is_stored(study: Study) -> None:
    found = measure_stored(study.model(), study)
    assert found["logits_identical"] == 1.0 and 0 < found["file_megabytes"] < 1
