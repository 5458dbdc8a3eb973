"""The live plots, from records alone."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator

from fledgling.core.records import StepRecord
from fledgling.reports.figures import BLUE, GREY, PALETTE, VERMILION, Drawing, label, new_figure


def plot_session(records: Sequence[StepRecord]) -> Drawing:
    """Loss of every update, drift from the base, how well the newest facts are known, and memory:
    four panels over the lessons so far.
    """
    figure, axes = new_figure(2, 2, width=7.6, height=4.8)
    of = {
        event: [record for record in records if record.event == event]
        for event in ("update", "remembered", "measured")
    }
    _plot_losses(axes[0, 0], of["update"])
    _plot_drift(axes[0, 1], of["remembered"])
    _plot_retention(axes[1, 0], of["measured"])
    _plot_memory(axes[1, 1], of["measured"])
    for one in axes.flat:
        one.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5, min_n_ticks=1))
        one.title.set_fontsize(10.5)
    return figure


def _plot_losses(axes: Axes, updates: Sequence[StepRecord]) -> None:
    """One line a lesson, so that a new fact does not look like a relapse."""
    lessons: list[list[tuple[int, float]]] = []
    for place, record in enumerate(updates, start=1):
        if record.values["update"] == 1 or not lessons:
            lessons.append([])
        lessons[-1].append((place, record.values["loss"]))
    _plot_lines(axes, lessons)
    left = max((points[-1][1] for points in lessons), default=0.0)
    title = f"Loss at the end: {left:.3f} at most" if lessons else "Loss"
    label(axes, title=title, x="update", y="nats per token")
    axes.set_ylim(bottom=0.0)
    _hint(axes, lessons)


def _plot_lines(axes: Axes, lines: Sequence[Sequence[tuple[int, float]]]) -> None:
    """Lines with their points as two artists, however many there are: drawing them takes as long
    after two hundred lessons as after ten.
    """
    colors = [PALETTE[number % len(PALETTE)] for number in range(len(lines))]
    axes.add_collection(LineCollection(lines, colors=colors, linewidths=2.0))
    points = [point for line in lines for point in line]
    if points:
        x, y = zip(*points, strict=True)
        of_each = [color for color, line in zip(colors, lines, strict=True) for _ in line]
        axes.scatter(x, y, s=12, color=of_each, zorder=2)


def _plot_drift(axes: Axes, kept: Sequence[StepRecord]) -> None:
    drifts = [record.values["anchor_kl"] for record in kept]
    places = range(1, len(drifts) + 1)
    axes.plot(places, drifts, marker="o", markersize=3.5, color=VERMILION)
    worst = max(drifts, default=0.0)
    found = f"Drift from the base: {worst:.3f} at most" if drifts else "Drift from the base"
    label(axes, title=found, x="lesson", y="nats per token")
    axes.set_ylim(bottom=0.0, top=max(1.2 * worst, 0.05))
    _hint(axes, drifts)


def _plot_retention(axes: Axes, measured: Sequence[StepRecord]) -> None:
    lines: dict[str, list[tuple[int, float]]] = {}
    for place, record in enumerate(measured, start=1):
        for fact, known in record.values["retention"].items():
            lines.setdefault(fact, []).append((place, known))
    _plot_lines(axes, list(lines.values()))
    last = list(measured[-1].values["retention"].values()) if measured else []
    known = sum(value >= 0.5 for value in last)  # a greedy reply then says most of its tokens
    title = f"Known: {known} of the newest {len(last)}" if last else "How well facts are known"
    label(axes, title=title, x="lesson", y="probability")
    axes.set_ylim(-0.03, 1.05)
    _hint(axes, lines)


def _plot_memory(axes: Axes, measured: Sequence[StepRecord]) -> None:
    counts = [record.values["facts"] for record in measured]
    size = measured[-1].values["bytes"] / 1e6 if measured else 0.0
    axes.plot(range(1, len(counts) + 1), counts, marker="o", markersize=3.5, color=BLUE)
    facts = counts[-1] if counts else 0
    plural = "" if facts == 1 else "s"
    kept = f", {size:.1f} MB" if size else ""
    label(axes, title=f"Memory: {facts} fact{plural}{kept}", x="lesson", y="facts")
    axes.set_ylim(bottom=0.0, top=max([*counts, 1]) * 1.15)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    _hint(axes, counts)


def _hint(axes: Axes, drawn: Sequence[object] | dict[str, object]) -> None:
    if not drawn:
        place = {"transform": axes.transAxes, "ha": "center", "va": "center"}
        axes.text(0.5, 0.5, "nothing taught yet", color=GREY, **place)
