"""What a sweep found, on one page: the best point, small multiples over the grid, a table with
intervals over the seeds, what failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from matplotlib.axes import Axes

from fledgling.core.errors import RunError
from fledgling.core.files import write_text
from fledgling.core.layers import nearest
from fledgling.reports.figures import Drawing, colour_of, label, legend, new_figure
from fledgling.reports.pages import page
from fledgling.reports.results import StoredRun
from fledgling.reports.sweeps import (
    Point,
    Sweep,
    best_point,
    collect,
    judged,
    preset_of,
    write_table,
)
from fledgling.reports.tables import estimate

_MOST_PANELS = 9  # small multiples that still can be read side by side
_APART = 0.06  # of the distance between two ticks: neighbouring lines


@dataclass(frozen=True)
class Finding:
    """The best point of a sweep by one metric, its run with the first seed, and one sentence."""

    metric: str
    point: Point
    run: StoredRun
    sentence: str


def write_sweep(sweep: Sweep, reports: Path, *, metric: str = "") -> tuple[Path, Finding | None]:
    """Write sweep.csv, small_multiples.png, report.html and, where a best point is known,
    best_preset.yaml and best_parameters.yaml. Returns the page and what was found.

    ``metric`` decides what is best: more of it, or less where its target says so. Empty: the first
    metric that has a target. Raises ``RunError`` for a metric that no run measured.
    """
    points, runs = sweep.points(reports), sweep.stored(reports)
    folder = reports / sweep.folder
    folder.mkdir(parents=True, exist_ok=True)
    found = finding(points, sweep.axes, metric)
    metrics = shown_metrics(points, found.metric if found else "")
    write_table(collect(runs), folder / "sweep.csv")
    figure = folder / "small_multiples.png"
    title = found.sentence if found else "No run ended well yet"
    plot_sweep(points, sweep.axes, metrics, title=title).savefig(
        figure, dpi=130, bbox_inches="tight"
    )
    preset = ""
    if found:
        preset = yaml.safe_dump(preset_of(found.run), sort_keys=False)
        write_text(folder / "best_preset.yaml", preset)
        plain = {k: v for k, v in found.run.results.parameters.items() if "." not in k}
        write_text(folder / "best_parameters.yaml", yaml.safe_dump(plain, sort_keys=False))
    html = page(
        "sweep.html",
        sweep=sweep,
        points=points,
        metrics=metrics,
        found=found,
        preset=preset,
        figure=figure,
        failed=[run for run in runs if run.results.status != "ok"],
        missing=len(sweep.requests) - len(runs),
    )
    write_text(folder / "report.html", html)
    return folder / "report.html", found


def finding(points: Sequence[Point], axes: Sequence[str], metric: str) -> Finding | None:
    """The best point by ``metric``; ``None`` where nothing was measured yet."""
    names = all_metrics(points)
    if not names:
        return None
    if metric and metric not in names:
        raise RunError(f"no run of the sweep has a metric {metric!r};{nearest(metric, names)}")
    directions = judged(points)
    chosen = metric or next(iter(directions), names[0])
    more = directions.get(chosen, True)
    best = best_point(points, chosen, more_is_better=more)
    if best is None:
        return None
    place = ", ".join(f"{axis} {value}" for axis, value in zip(axes, best.values, strict=True))
    extreme = "highest" if more else "lowest"
    measured = estimate(best.interval(chosen))
    sentence = f"{chosen} is {extreme} at {place or 'the only point'}: {measured}"
    return Finding(chosen, best, best.runs[0], sentence)


def all_metrics(points: Sequence[Point]) -> list[str]:
    """Every metric that some run measured, in the order of the first run that has it."""
    measured: dict[str, None] = {}
    for point in points:
        for run in point.runs:
            known = {name for name, value in run.results.metrics.items() if value is not None}
            measured |= {name: None for name in run.results.metrics if name in known}
    return list(measured)


def shown_metrics(points: Sequence[Point], first: str) -> list[str]:
    """The metrics worth a panel: the one that decides, those with a target, then the default
    recipe's own.
    """
    names = all_metrics(points)
    ranked = [first, *judged(points), *(name for name in names if "." not in name)]
    return [name for name in dict.fromkeys(ranked) if name in names][:_MOST_PANELS]


def plot_sweep(
    points: Sequence[Point], axes: Sequence[str], metrics: Sequence[str], *, title: str
) -> Drawing:
    """One panel a metric: its mean over the seeds along the first axis, with 95% intervals where
    there are several seeds; one line for each combination of the other axes.
    """
    columns = min(3, max(1, len(metrics)))
    rows = max(1, -(-len(metrics) // columns))
    figure, panels = new_figure(rows, columns, width=4.2 * columns, height=0.6 + 2.9 * rows)
    figure.suptitle(title, x=0.0, ha="left", fontsize=13, fontweight="bold", wrap=True)
    ticks = list(dict.fromkeys(str(point.values[0]) if axes else "" for point in points))
    lines: dict[str, list[Point]] = {}
    for point in points:
        others = zip(axes[1:], point.values[1:], strict=True)
        lines.setdefault(", ".join(f"{name} {value}" for name, value in others), []).append(point)
    colours = colour_of(list(lines))
    for panel in panels.flat[len(metrics) :]:
        panel.set_visible(False)
    for panel, metric in zip(panels.flat[: len(metrics)], metrics, strict=True):
        for place, (name, line) in enumerate(lines.items()):
            aside = _APART * (place - (len(lines) - 1) / 2)  # so that no bar hides another
            _draw_line(panel, line, metric, ticks, aside=aside, colour=colours[name], name=name)
        panel.set_xticks(range(len(ticks)), ticks)
        first = panel.get_subplotspec().is_first_col()
        label(panel, title=metric, x=axes[0] if axes else "", y="mean over seeds" if first else "")
    if len(lines) > 1 and metrics:
        legend(panels.flat[0])
    return figure


def _draw_line(
    panel: Axes,
    line: Sequence[Point],
    metric: str,
    ticks: Sequence[str],
    *,
    aside: float,
    colour: str,
    name: str,
) -> None:
    """The points of one line that have the metric, and bars for their intervals."""
    measured = [(point, point.interval(metric)) for point in line]
    known = [(point, interval) for point, interval in measured if interval]
    places = [ticks.index(str(point.values[0]) if point.values else "") for point, _ in known]
    means = np.array([interval.mean for _, interval in known])
    limits = [interval.limits or (interval.mean, interval.mean) for _, interval in known]
    bars = np.abs(np.array(limits).reshape(-1, 2).T - means)
    shifted = np.array(places) + aside
    panel.errorbar(shifted, means, yerr=bars, marker="o", capsize=3, color=colour, label=name)
