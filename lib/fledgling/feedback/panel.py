"""The live cell of notebook 06: a turn judged as you type."""

from __future__ import annotations

import html
import textwrap

import ipywidgets

from fledgling.core.records import Feedback
from fledgling.feedback.figures import plot_labels
from fledgling.feedback.judging.dialogues import LABELS
from fledgling.feedback.judging.judge import Judge
from fledgling.feedback.judging.signals import Exchange
from fledgling.reports.figures import Drawing
from fledgling.reports.live_cells import live_cell


def judged_live(judge: Judge, exchange: Exchange) -> ipywidgets.VBox | Drawing:
    """Three fields, and what the last one says of the second; headless a picture of the start."""
    return live_cell(lambda: _panel(judge, exchange), lambda: _still(judge, exchange))


def _panel(judge: Judge, exchange: Exchange) -> ipywidgets.VBox:
    texts = {"question": exchange.prompt, "reply": exchange.reply, "next turn": exchange.reaction}
    wide = ipywidgets.Layout(width="90%")
    fields = [
        ipywidgets.Text(value=text or "", description=name, layout=wide, continuous_update=True)
        for name, text in texts.items()
    ]
    bars = [
        ipywidgets.FloatProgress(min=0.0, max=1.0, description=label, layout=wide)
        for label in LABELS
    ]
    told = ipywidgets.HTML()

    def show(_: object = None) -> None:
        asked, reply, turn = (field.value for field in fields)
        said = Exchange(asked, reply, turn or None)
        feedback, chances = judge.judge([said])[0], judge.chances(said)
        for bar, label in zip(bars, LABELS, strict=True):
            bar.value = chances[label]
        told.value = html.escape(described(feedback))

    for field in fields:
        field.observe(show, names="value")
    show()
    return ipywidgets.VBox([*fields, *bars, told])


def _still(judge: Judge, exchange: Exchange) -> Drawing:
    feedback = judge.judge([exchange])[0]
    title = f"{exchange.reaction!r}: {described(feedback)}"
    return plot_labels(judge.chances(exchange), "\n".join(textwrap.wrap(title, 70)))


def described(feedback: Feedback) -> str:
    """A judgement in a line."""
    parts = [feedback.label, f"quality {feedback.quality:.2f}"]
    if feedback.signals:
        parts.append("seen: " + ", ".join(feedback.signals))
    if feedback.correction:
        parts.append(f"right answer: {feedback.correction}")
    return "; ".join(parts)
