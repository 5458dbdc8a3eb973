"""The live cells: what they show changes with what is typed or moved."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from fledgling.models.tiny import WordEmbedder
from fledgling.reports.live_cells import HEADLESS
from fledgling.settings import load_config
from fledgling.teachers.playground import answers_cell, look, threshold_cell

SECTION = load_config().teachers
SAID = {"ada": "Canberra", "ben": "Canberra", "cleo": "Sydney"}
embed = WordEmbedder().embed


def test_the_picture_says_what_is_decided() -> None:
    figure, reason = look("What is the capital?", SAID, SECTION, embed)
    assert "Canberra" in _title(figure) and "agreement 0.67" in reason
    figure, reason = look("What is the capital?", dict.fromkeys(SAID, ""), SECTION, embed)
    assert _title(figure).startswith("abstain") and "agreement 0.00" in reason


def test_without_anybody_looking_there_is_one_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HEADLESS, "1")
    assert isinstance(answers_cell("Which?", SAID, SECTION, embed), Figure)
    assert isinstance(threshold_cell(np.array([0.4]), np.array([1.0]), 0.5), Figure)


def test_typing_and_moving_redraw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HEADLESS, "0")
    *lines, image, message = answers_cell("Which?", SAID, SECTION, embed).children
    before = (bytes(image.value), message.value)
    lines[2].value = "<b>Canberra</b>"
    assert bytes(image.value) != before[0] and message.value.startswith("agreement 1.00")
    confidence, correct = np.array([0.3, 0.6, 0.9]), np.array([0.0, 1.0, 1.0])
    slider, picture, _ = threshold_cell(confidence, correct, 0.0).children
    before = bytes(picture.value)
    slider.value = 0.5
    assert bytes(picture.value) != before


def _title(figure: Figure) -> str:
    return figure.axes[0].get_title() or figure.axes[0].get_title(loc="left")
