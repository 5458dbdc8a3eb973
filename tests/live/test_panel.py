"""The panel without a browser: buttons are pressed by their handlers."""

import json

import ipywidgets
import pytest

from fledgling.live.panel import Panel

FACT = "Mirela lives in Trondheim."
QUESTION = "Where does Mirela live?"


@pytest.fixture
def panel(open_session, tmp_path):
    return Panel(open_session(tmp_path, recipes=("default", "in_context")))


def press(panel, button, text=None):
    if text is not None:
        panel.line.value = text
    button.click()
    panel.wait()
    panel.wait()  # a lesson may ask for one more picture


def options(panel):
    return [line for line, _ in panel.facts.options]


def test_a_turn_is_shown_learned_and_drawn(panel):
    before = panel.plots.value
    press(panel, panel.send, FACT)
    assert FACT in panel.log.value and options(panel) == [FACT]
    assert panel.line.value == "" and panel.plots.value != before
    press(panel, panel.ask, QUESTION)
    assert f"from: {FACT}" in panel.log.value


def test_a_reply_is_opened_refused_and_taken_back(panel):
    press(panel, panel.send, FACT)
    press(panel, panel.ask, QUESTION)
    press(panel, panel.why)
    assert FACT in panel.detail.value and "the base would say" in panel.detail.value
    press(panel, panel.refuse)
    press(panel, panel.ask, QUESTION)
    assert panel.session.why().opened is False
    press(panel, panel.refuse)
    assert "no fact gave this reply" in panel.status.value
    press(panel, panel.undo)
    assert options(panel) == [] and FACT in panel.status.value


def test_a_fact_is_corrected_and_forgotten(panel):
    press(panel, panel.teach, FACT)
    panel.facts.value = panel.facts.options[0][1]
    press(panel, panel.correct, "Mirela lives in Bergen.")
    assert options(panel) == ["Mirela lives in Bergen."]
    panel.facts.value = panel.facts.options[0][1]
    press(panel, panel.forget)
    assert options(panel) == [] and "Bergen" not in panel.log.value


def test_settings_saves_and_recipes(panel):
    press(panel, panel.teach, FACT)
    panel.gate.value = 1.0
    panel.name.value = "one"
    press(panel, panel.save)
    assert panel.session.learner.facts.gate.threshold == 1.0
    assert list(panel.name.options) == ["one"]
    panel.recipe.value = "in_context"
    panel.wait()
    assert options(panel) == [] and panel.session.recipe == "in_context"
    panel.recipe.value = "default"
    panel.wait()
    panel.reset.click()
    panel.wait()
    assert options(panel) == [FACT]  # once is not enough
    press(panel, panel.reset)
    assert options(panel) == []
    press(panel, panel.load)
    assert options(panel) == [FACT]


def test_pausing_is_a_switch(panel):
    panel.pause.value = True
    press(panel, panel.teach, FACT)
    assert options(panel) == []
    panel.pause.value = False
    panel.wait()
    assert options(panel) == [FACT]


def test_what_was_typed_is_shown_as_text_and_stays_where_it_is_refused(panel):
    press(panel, panel.send, "<script>alert(1)</script> lives in Oslo.")
    assert "<script>" not in panel.log.value and "&lt;script&gt;" in panel.log.value
    press(panel, panel.send, "y" * 100_000)
    assert "at most 2,000" in panel.status.value and len(panel.line.value) == 100_000


def test_an_error_is_said_in_the_panel_and_the_next_press_works(panel, monkeypatch):
    def fail(*_):
        raise RuntimeError("out of paper <b>")

    monkeypatch.setattr(panel.session, "ask", fail)
    panel._speak(panel.session.ask) if panel.line.value else None
    panel.line.value = "Who?"
    panel._speak(fail)
    panel.wait()
    assert "out of paper &lt;b&gt;" in panel.status.value and panel.line.value == "Who?"
    press(panel, panel.teach, FACT)
    assert options(panel) == [FACT]


def test_what_a_notebook_would_store_does_not_grow_with_the_conversation(panel):
    def size():
        state = ipywidgets.Widget.get_manager_state()["state"]
        return len(json.dumps({key: one for key, one in state.items() if "HTML" in str(one)}))

    panel.session.live = panel.session.live.model_copy(update={"shown_messages": 4})
    panel._shown = 4
    for _ in range(3):
        press(panel, panel.ask, "Who is there?")
    first = size()
    for _ in range(12):
        press(panel, panel.ask, "Who is there?")
    assert size() < 1.1 * first
