"""Figures of notebook 07, from records alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pandas import DataFrame

from fledgling.core.records import StepRecord
from fledgling.reports.figures import GREY, Drawing, colour_of, label, legend, new_figure


def plot_tiers(seconds: Mapping[str, float], limits: Mapping[str, float]) -> Drawing:
    """How long each tier takes to act, on a logarithmic scale, with what it may take."""
    figure, axes = new_figure(height=2.8)
    names = list(seconds)[::-1]
    axes[0, 0].barh(names, [seconds[name] for name in names], color=colour_of(["tier"])["tier"])
    for place, name in enumerate(names):
        axes[0, 0].plot([limits[name]] * 2, [place - 0.4, place + 0.4], color=GREY, ls="--")
    axes[0, 0].set_xscale("log")
    return _titled(figure, "Three tiers: what each takes (dashed: what it may)", "seconds", "")


def plot_forgetting(records: Sequence[StepRecord]) -> Drawing:
    """Nats forgotten of the earlier facts after each new one, one line an arm."""
    arms = list(dict.fromkeys(record.name for record in records))
    figure, axes = new_figure(height=3.6)
    for arm in arms:
        rows = [record for record in records if record.name == arm]
        axes[0, 0].plot(
            [row.step for row in rows], [row.values["forgotten"] for row in rows], "o-", label=arm
        )
    legend(axes[0, 0], beside=True, title="idle updates")
    axes[0, 0].set_xticks(range(1, 1 + max(record.step for record in records)))
    title = "What idle updates keep from being forgotten"
    return _titled(figure, title, "facts taught", "forgotten, nats a token")


def plot_routing(records: Sequence[StepRecord]) -> Drawing:
    """Expected reward over the best model's, block by block, the mean over streams: the models
    change half-way.
    """
    names = [name for name in dict.fromkeys(record.name for record in records) if name != "oracle"]
    figure, axes = new_figure(height=3.8)
    colours = colour_of(names)
    for name in names:
        course = np.mean([row.values["course"] for row in records if row.name == name], axis=0)
        queries = 25 * (1 + np.arange(len(course)))
        axes[0, 0].plot(queries, course, label=name, color=colours[name])
    axes[0, 0].axhline(0.95, color=GREY, ls="--", lw=1.0)
    axes[0, 0].axvline(queries[-1] / 2, color=GREY, lw=1.0)
    axes[0, 0].set(ylim=(0.3, 1.02))
    legend(axes[0, 0], beside=True)
    return _titled(
        figure, "The best model changes half-way", "queries", "share of the best's reward"
    )


def routing_table(records: Sequence[StepRecord]) -> DataFrame:
    """Mean reward and median recovery of each router; a router that never recovered counts as
    infinitely late.
    """
    rows = {}
    for name in dict.fromkeys(record.name for record in records):
        mine = [record.values for record in records if record.name == name]
        late = [np.inf if one["recovery"] is None else one["recovery"] for one in mine]
        rows[name] = {
            "reward a query": round(float(np.mean([one["reward"] for one in mine])), 3),
            "median recovery, queries": float(np.median(late)),
        }
    return DataFrame(rows).T


def _titled(figure: Drawing, title: str, x: str, y: str) -> Drawing:
    label(figure.axes[0], title=title, x=x, y=y)
    return figure
