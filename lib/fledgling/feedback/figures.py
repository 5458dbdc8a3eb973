"""Figures of notebook 06, from records alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pandas import DataFrame

from fledgling.core.records import StepRecord
from fledgling.reports.figures import GREY, Drawing, colour_of, label, legend, new_figure


def plot_training(updates: Sequence[StepRecord]) -> Drawing:
    """Loss over the updates of a training, one line a phase."""
    phases = list(dict.fromkeys(record.name for record in updates))
    figure, axes = new_figure(height=3.6)
    start = 0
    for phase in phases:
        rows = [record for record in updates if record.name == phase]
        steps = [start + record.step for record in rows]
        losses = [record.values["loss"] for record in rows]
        axes[0, 0].plot(steps, losses, "o-", ms=3.5, label=phase or "training")
        start = steps[-1]
    label(axes[0, 0], title="The loss falls in each phase", x="updates", y="loss, nats a token")
    legend(axes[0, 0]).set(ylim=(0.0, None))
    return figure


def plot_judging(scores: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Drawing:
    """F1 of every label, one bar a judge: who → label → scores."""
    table = DataFrame(
        {who: {name: one["f1"] for name, one in labels.items()} for who, labels in scores.items()}
    )
    figure, axes = new_figure(height=3.6)
    table.plot.bar(ax=axes[0, 0], rot=0, width=0.75, legend=False, color=colour_of(list(table)))
    label(axes[0, 0], title="A next turn read, by what it says", x="", y="F1, held-out dialogues")
    legend(axes[0, 0], beside=True).set(ylim=(0.0, 1.0))
    return figure


def plot_calibration(bins: Sequence[tuple[float, float, int]], error: float) -> Drawing:
    """Share right over stated probability; the area of a point is how many turns stand behind."""
    figure, axes = new_figure(width=4.6, height=4.2)
    sure, right, counts = zip(*bins, strict=True)
    axes[0, 0].plot([0, 1], [0, 1], color=GREY, ls="--", lw=1.0)
    axes[0, 0].scatter(sure, right, s=[4.0 * count for count in counts], alpha=0.8)
    label(axes[0, 0], title=f"Off by {error:.3f} on average", x="probability said", y="share right")
    axes[0, 0].set(xlim=(0.0, 1.02), ylim=(0.0, 1.02))
    return figure


def plot_labels(chances: Mapping[str, float], title: str) -> Drawing:
    """The probability of every label of one turn."""
    figure, axes = new_figure(height=2.4)
    axes[0, 0].barh(list(chances)[::-1], list(chances.values())[::-1], color=GREY)
    axes[0, 0].set(xlim=(0.0, 1.0))
    label(axes[0, 0], title=title, x="probability", y="")
    return figure


def plot_habits(scores: Sequence[Mapping[str, object]]) -> Drawing:
    """Share of held-out replies that follow each habit: by adapter, by prompt, by nothing."""
    columns = {"followed": "adapter", "prompted": "wish in the prompt", "nothing": "nothing"}
    table = DataFrame(scores).set_index("name")[list(columns)].rename(columns=columns)[::-1]
    figure, axes = new_figure(height=1.4 + 0.42 * len(table))
    table.plot.barh(ax=axes[0, 0], width=0.8, legend=False, color=colour_of(list(table)))
    label(axes[0, 0], title="Habits followed", x="share of held-out replies", y="")
    legend(axes[0, 0], beside=True).set(xlim=(0.0, 1.0))
    return figure


def plot_hops(hops: Sequence[Mapping[str, object]]) -> Drawing:
    """KL to the merged model and size on disk, hop by hop."""
    table = DataFrame(hops).set_index("name")
    figure, axes = new_figure(1, 2, width=9.0, height=3.4)
    axes[0, 0].bar(table.index, table["kl"].clip(lower=1e-9), color=colour_of(["KL"])["KL"])
    axes[0, 0].set_yscale("log")
    label(axes[0, 0], title="What each hop changes", x="", y="KL to merged, nats a token")
    axes[0, 1].bar(table.index, table["bytes"] / 1e6, color=GREY)
    label(axes[0, 1], title="and what it weighs", x="", y="megabytes")
    return figure
