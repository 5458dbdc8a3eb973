"""What an answer rests on, and the line to type into, without a browser."""

import pytest
import torch

from fledgling.core.errors import DataError
from fledgling.tasks import playground
from fledgling.tasks.encoding import EDGE_TYPES
from fledgling.tasks.model import MultitaskModel, ask
from fledgling.tasks.playground import Playground, live_cell, look
from fledgling.tasks.study import Study


@pytest.fixture(scope="module")
def model(study: Study) -> MultitaskModel:
    return study.model()


def test_both_heads_answer_as_they_do_elsewhere(model: MultitaskModel) -> None:
    looks = look(model, "8+5=1_")
    assert [one.task for one in looks] == ["kindergarten", "math"]
    for one in looks:
        (answer,) = ask(model, "8+5=1_", one.task)
        assert (one.answer, one.probability) == (answer.answer, answer.probability)


def test_edges_are_the_strongest_and_known_by_type(model: MultitaskModel) -> None:
    edges = look(model, "8+5=1_")[1].edges
    assert len(edges) == playground.STRONGEST
    weights = [edge.weight for edge in edges]
    assert weights == sorted(weights, reverse=True) and 0 < sum(weights) <= 1 + 1e-6
    assert all(0 <= node <= 6 for edge in edges for node in (edge.reader, edge.read))
    assert all(edge.types and set(edge.types) <= set(EDGE_TYPES) for edge in edges)


def test_an_edge_that_is_cut_off_carries_nothing(model: MultitaskModel, study: Study) -> None:
    blind = study.model()
    with torch.no_grad():
        blind.backbone.edge_weights.zero_()
        # The virtual node, which the answer is read from, reads nothing but itself.
        blind.backbone.edge_weights[EDGE_TYPES.index("from virtual")] = -50.0
    strongest = look(blind, "8+5=1_")[1].edges[0]
    assert (strongest.reader, strongest.read, strongest.types) == (0, 0, ("virtual",))
    assert strongest.weight == pytest.approx(1.0)


def test_a_text_that_cannot_be_read_leaves_the_last_picture(model: MultitaskModel) -> None:
    tried = Playground(model, "first letter of cat")
    before = tried.picture
    assert tried.show("  ") is before and "is empty" in tried.message
    assert tried.show("last letter of cat") is not before and tried.message == ""
    with pytest.raises(DataError):
        Playground(model, "")


def test_typing_changes_picture_and_message(model: MultitaskModel) -> None:
    line, image, message = Playground(model, "8+5=1_").widget("8+5=1_").children
    before = image.value
    assert bytes(before).startswith(b"\x89PNG")
    line.value = "<b>7</b>"
    assert image.value != before and message.value == ""
    line.value = "x" * 500
    assert "500 characters" in message.value


def test_headless_there_is_one_still_picture(
    model: MultitaskModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert live_cell(model, "8+5=1_")._repr_png_().startswith(b"\x89PNG")
    monkeypatch.setenv("JPY_SESSION_NAME", "notebooks/03_kindergarten_math.ipynb")
    assert len(live_cell(model, "8+5=1_").children) == 3


def test_characters_never_seen_are_named(model: MultitaskModel) -> None:
    assert {one.unread for one in look(model, "8+☃")} == {"☃"}
    assert {one.answer for one in look(model, "8+☃")} == {"unknown"}
