"""The live cell of notebooks 04 and 05, without a browser."""

from dataclasses import replace

import pytest

from fledgling.core.records import Turn
from fledgling.facts.learner import GateReaders
from fledgling.live.playground import Asking, ask_beside, asking_cell, teach
from fledgling.models.tiny import WordEmbedder, WordOverlap, tiny_model

FACT = "Mirela lives in Trondheim."


@pytest.fixture
def learner(small_config):
    config = small_config()
    readers = GateReaders(WordEmbedder(), WordOverlap())
    loaded = replace(tiny_model(), max_length=96)
    learner = teach(loaded, readers, config.facts, config.language, [Turn(FACT)])
    yield learner
    learner.close()


def test_the_controls_answer_only_where_the_gate_opens(learner):
    rows = ask_beside(learner, "Where does Mirela live?")
    assert [who.partition(" (")[0] for who, _ in rows][:2] == ["the base", "the taught model"]
    assert rows[2][1] == FACT and rows[3][1] != rows[0][1]
    other = [answer for _, answer in ask_beside(learner, "What is the capital of France?")]
    assert len(set(other)) == 1


def test_typing_a_question_shows_the_answers_as_text(learner):
    widget = Asking(learner).widget("Where does Mirela live?")
    _, known, line, shown = widget.children
    assert FACT in known.value and FACT in shown.value
    line.value = "<b>Who?</b>"
    assert "<b>" not in shown.value and "no fact opened" in shown.value
    line.value = "\x1b"
    assert "control character" in shown.value


def test_headless_nothing_is_taught(monkeypatch):
    monkeypatch.setenv("FLEDGLING_HEADLESS", "1")
    assert asking_cell(lambda: 1 / 0, "Who?", lambda: "a picture") == "a picture"
