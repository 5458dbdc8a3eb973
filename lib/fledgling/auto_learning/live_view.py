"""The gate's verdict as traffic is drawn, to play with in JupyterLab."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from fledgling.auto_learning.figures import plot_test
from fledgling.auto_learning.metrics import course_of
from fledgling.auto_learning.promotion.evidence import Evidence, EvidenceRow, start_from
from fledgling.auto_learning.promotion.gate import Finding, decide
from fledgling.auto_learning.promotion.trials import World, draw
from fledgling.auto_learning.scores import worth
from fledgling.auto_learning.settings import AutoLearningSection

if TYPE_CHECKING:
    import ipywidgets

_SECONDS = 30.0


class GateView:
    """Draws tasks from a world whose truth is known and shows what the gate makes of them.

    ``box`` is the widget; without a browser ``draw_tasks`` and ``figure`` do the same.
    """

    def __init__(self, section: AutoLearningSection, *, gain: float = 0.05, seed: int = 0) -> None:
        self.section, self.seed = section, seed
        self.restart(gain)

    def restart(self, gain: float) -> None:
        """Forget all tasks; the challenger completes ``gain`` more than the champion from now
        on.
        """
        trials = self.section.trials
        self.generator = np.random.default_rng(self.seed)
        self.gain = min(gain, 1.0 - trials.completion)
        past = World(trials.completion, trials.quality, share=0.0)
        shape = (1, self.section.betting.history_tasks)
        found = draw(past, self.section, shape, self.generator)
        scores = worth(found.completed, found.quality, self.section.score, self.section.rules)
        self.before = start_from(
            scores[0],
            found.completed[0],
            np.full(shape[1], _SECONDS),
            self.section.betting,
            slow_factor=self.section.watch.slow_factor,
            longest_s=self.section.collector.longest_s,
        )
        self.rows: list[EvidenceRow] = []
        self.finding: Finding = decide(Evidence(()), self.before, self.section)

    def draw_tasks(self, count: int) -> Finding:
        """Let so many tasks be done, a few at a time, until the test is closed."""
        trials = self.section.trials
        for _ in range(0, count, trials.batch):
            if self.finding.closes:
                break
            share = self.finding.next_share
            world = World(trials.completion, trials.quality, self.gain, share=share)
            found = draw(world, self.section, (1, trials.batch), self.generator)
            for who, done, quality in zip(
                found.challenger[0], found.completed[0], found.quality[0], strict=True
            ):
                variant = "challenger" if who else "champion"
                number = f"task-{len(self.rows)}"
                row = EvidenceRow(
                    number, variant, share, "all", bool(done), float(quality), _SECONDS
                )
                self.rows.append(row)
            self.finding = decide(Evidence(tuple(self.rows)), self.before, self.section)
        return self.finding

    def figure(self) -> Figure:
        """The test so far."""
        title = f"A challenger that completes {self.gain:+.0%} of the tasks"
        evidence = Evidence(tuple(self.rows))
        return plot_test(course_of(evidence, self.before, self.section, self.finding, title))

    @property
    def box(self) -> ipywidgets.VBox:
        """Sliders, buttons and the picture."""
        import ipywidgets as widgets

        gain = widgets.FloatSlider(
            value=self.gain, min=-0.2, max=0.07, step=0.01, description="true gain"
        )
        tasks = widgets.IntSlider(value=100, min=20, max=1000, step=20, description="tasks")
        go, again = widgets.Button(description="draw"), widgets.Button(description="start again")
        said, picture = widgets.Label(), widgets.Image(format="png")

        def show() -> None:
            said.value = f"{self.finding.verdict}: {self.finding.reason}"
            if self.rows:
                picture.value = png(self.figure())

        def on_draw(_: object) -> None:
            self.draw_tasks(tasks.value)
            show()

        def on_again(_: object) -> None:
            self.restart(gain.value)
            show()

        go.on_click(on_draw)
        again.on_click(on_again)
        show()
        return widgets.VBox([widgets.HBox([gain, tasks, go, again]), said, picture])


def png(figure: Figure) -> bytes:
    """A figure as the bytes of a PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=90, bbox_inches="tight")
    return buffer.getvalue()
