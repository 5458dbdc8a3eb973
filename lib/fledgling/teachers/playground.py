"""The live cells of notebooks 01 and 02: type answers and see what is decided, move the threshold
and see what is left. Everything but the widgets works without a browser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from fledgling.reports.live_cells import live_cell
from fledgling.teachers.aggregators.agreement import Embed, measure_agreement
from fledgling.teachers.aggregators.decision import decide
from fledgling.teachers.answers import Answer
from fledgling.teachers.figures import plot_answered, plot_matrix
from fledgling.teachers.settings import TeachersSection

if TYPE_CHECKING:
    import ipywidgets

LONGEST_TITLE = 60  # characters of an answer that fit over the picture


def look(
    question: str, said: Mapping[str, str], section: TeachersSection, embed: Embed
) -> tuple[Figure, str]:
    """How the answers by each teacher agree, and what is decided; empty ones count as failures."""
    answers = [
        Answer(text, name, section.endpoint_defaults.confidence) for name, text in said.items()
    ]
    decision = decide(question, answers, section, embed)
    heard = [answer for answer in answers if answer.usable]
    texts = [answer.text for answer in heard]
    pairs = measure_agreement(texts, embed(texts), section.agreement).pairs if heard else np.eye(1)
    figure = plot_matrix(
        pairs,
        [answer.model_name for answer in heard] or ["nobody"],
        title=f"{decision.kind}: {decision.text[:LONGEST_TITLE] or 'no answer'}",
        label="pair agreement (0 to 1)",
    )
    return figure, f"agreement {decision.agreement:.2f}; {decision.reason}"


def answers_cell(
    question: str, said: Mapping[str, str], section: TeachersSection, embed: Embed
) -> ipywidgets.VBox | Figure:
    """Lines to change what each teacher says, over the picture and the reason of the decision."""

    def build() -> ipywidgets.VBox:
        import ipywidgets

        lines = [
            ipywidgets.Text(text, description=name, continuous_update=False)
            for name, text in said.items()
        ]
        return _redrawn(lines, lambda *texts: look(question, _named(said, texts), section, embed))

    return live_cell(build, lambda: look(question, said, section, embed)[0])


def threshold_cell(
    confidence: np.ndarray, correct: np.ndarray, threshold: float
) -> ipywidgets.VBox | Figure:
    """A slider for the confidence from which answers are given, over what becomes of them."""

    def build() -> ipywidgets.VBox:
        import ipywidgets

        slider = ipywidgets.FloatSlider(threshold, min=0.0, max=1.0, step=0.01, description="from")
        return _redrawn([slider], lambda value: (plot_answered(confidence, correct, value), ""))

    return live_cell(build, lambda: plot_answered(confidence, correct, threshold))


def _named(said: Mapping[str, str], texts: Sequence[str]) -> dict[str, str]:
    return dict(zip(said, texts, strict=True))


def _redrawn(
    controls: Sequence[ipywidgets.ValueWidget], draw: Callable[..., tuple[Figure, str]]
) -> ipywidgets.VBox:
    """The controls over the picture and the line of text that ``draw`` makes of their values."""
    import ipywidgets

    image = ipywidgets.Image()
    # a label shows its text as it is: what a user types is never markup
    message = ipywidgets.Label()

    def show(_: object = None) -> None:
        figure, message.value = draw(*(control.value for control in controls))
        image.value = figure._repr_png_()

    show()
    for control in controls:
        control.observe(show, names="value")
    return ipywidgets.VBox([*controls, image, message])
