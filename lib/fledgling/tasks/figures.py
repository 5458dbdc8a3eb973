"""Figures of notebook 03, made from the records of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pandas import DataFrame, Series

from fledgling.core.statistics import Interval
from fledgling.reports.figures import (
    GREY,
    SEQUENTIAL,
    Drawing,
    colour_of,
    label,
    legend,
    new_figure,
)
from fledgling.tasks.metrics import EpochRecord, Look

Records = Sequence[EpochRecord]


def epochs_of(records: Records, run: str) -> list[EpochRecord]:
    """The records of one run, in order."""
    return [record for record in records if record.run == run]


def plot_learning(records: Records, run: str) -> Drawing:
    """Accuracy and loss of every task over the updates of one run."""
    epochs = epochs_of(records, run)
    updates = [epoch.updates for epoch in epochs]
    figure, axes = new_figure(1, 2, width=10.0, height=3.8)
    for one, values in zip(axes[0], ("accuracy", "loss"), strict=True):
        table = DataFrame([getattr(epoch, values) for epoch in epochs], index=updates)
        table.plot(ax=one, style="o-", ms=3.5, color=colour_of(list(table)), legend=False)
    last = ", ".join(f"{task} {value:.2f}" for task, value in epochs[-1].accuracy.items())
    label(axes[0, 0], title=f"Learned together: {last}", x="updates", y="accuracy, unseen items")
    label(axes[0, 1], title="and their losses fall", x="updates", y="loss on unseen items, nats")
    legend(axes[0, 0]).set(ylim=(0.0, 1.02))
    axes[0, 1].set(ylim=(0.0, None))
    return figure


def plot_retention(records: Records, runs: Sequence[str], titles: Sequence[str]) -> Drawing:
    """Heat maps of accuracy by task over time, one a run: forgetting is a row that darkens. A task
    without a head yet is left blank.
    """
    figure, axes = new_figure(len(runs), 1, width=9.0, height=1.0 + 1.5 * len(runs))
    for one, run, title in zip(axes[:, 0], runs, titles, strict=True):
        epochs = epochs_of(records, run)
        tasks = list(epochs[-1].accuracy)
        table = np.array([[epoch.accuracy.get(task, np.nan) for epoch in epochs] for task in tasks])
        image = one.imshow(table, aspect="auto", cmap=SEQUENTIAL, vmin=0.0, vmax=1.0)
        # About ten numbers a row can be read beside each other.
        every = max(1, len(epochs) // 10)
        for (row, column), value in np.ndenumerate(table):
            shown = column % every == 0 or column == len(epochs) - 1
            if shown and np.isfinite(value):
                colour = "white" if value < 0.55 else "black"
                centred = {"ha": "center", "va": "center", "fontsize": 8}
                one.text(column, row, f"{value:.2f}", color=colour, **centred)
        ticks = range(0, len(epochs), every)
        one.set(yticks=range(len(tasks)), yticklabels=tasks)
        one.set(xticks=ticks, xticklabels=[epochs[place].updates for place in ticks])
        one.grid(False)
        label(one, title=title, x="updates" if run == runs[-1] else "", y="")
    figure.colorbar(image, ax=axes, label="accuracy on unseen items")
    return figure


def plot_skills(skills: Mapping[str, Mapping[str, float]]) -> Drawing:
    """Accuracy by skill, a panel a task."""
    figure, axes = new_figure(1, len(skills), width=10.0, height=4.0)
    for one, (task, accuracies) in zip(axes[0], skills.items(), strict=True):
        # From the top down in the order of the data; bars are drawn from the bottom up.
        values = Series(accuracies)[::-1]
        bars = one.barh(values.index, values, color=colour_of(list(skills))[task], height=0.7)
        one.bar_label(bars, fmt="%.2f", padding=4, fontsize=9)
        one.grid(axis="y", visible=False)
        # Room for the number beside the longest bar.
        label(one, title=task, x="accuracy on unseen items", y="").set(xlim=(0.0, 1.15))
    return figure


def plot_conflict(records: Records, runs: Sequence[str]) -> Drawing:
    """Cosine between the tasks' gradients on the shared parameters over the updates of each run."""
    figure, axes = new_figure(width=8.0, height=3.8)
    one, colours = axes[0, 0], colour_of(list(runs))
    for run in runs:
        epochs = [epoch for epoch in epochs_of(records, run) if epoch.conflict is not None]
        points = [(epoch.updates, epoch.conflict) for epoch in epochs]
        one.plot(*zip(*points, strict=True), "o-", ms=3.5, color=colours[run], label=run)
    one.axhline(0.0, color=GREY, lw=1.0)
    title = "How far the tasks' gradients agree (below 0: conflict)"
    label(one, title=title, x="updates", y="cosine of the gradients")
    legend(one, beside=True)
    return figure


def plot_transfer(intervals: Mapping[str, Interval], bar: float) -> Drawing:
    """Multi-task minus single-task accuracy, by task, with its interval where there are seeds."""
    figure, axes = new_figure(width=8.0, height=0.9 + 0.7 * len(intervals))
    one, colours = axes[0, 0], colour_of(list(intervals))
    ends = [0.0, bar, -0.03, 0.03]
    for place, (task, found) in enumerate(intervals.items()):
        if found.count > 1:
            one.plot([found.low, found.high], [place, place], color=colours[task], lw=2.0)
            ends += [found.low, found.high]
        ends.append(found.mean)
        one.plot(found.mean, place, "o", ms=8.0, color=colours[task])
        above = {"textcoords": "offset points", "xytext": (0, 9), "ha": "center", "fontsize": 9}
        one.annotate(f"{found.mean:+.3f}", (found.mean, place), **above)
    one.axvline(0.0, color=GREY, lw=1.0)
    one.axvline(bar, color=GREY, lw=1.0, ls="--")
    one.set(yticks=range(len(intervals)), yticklabels=list(intervals))
    one.set(ylim=(-0.6, len(intervals) - 0.4), xlim=(min(ends) - 0.005, max(ends) + 0.005))
    title = "Does sharing help? (dashed: the bar)"
    label(one, title=title, x="accuracy together − accuracy alone", y="")
    return figure


def plot_efficiency(records: Records) -> Drawing:
    """Accuracy against the number of training examples, together and alone, a panel a task."""
    tasks = list(epochs_of(records, "efficiency.together")[0].accuracy)
    figure, axes = new_figure(1, len(tasks), width=10.0, height=3.8, share_y=True)
    colours = colour_of(["together", "alone"])
    for one, task in zip(axes[0], tasks, strict=True):
        for kind, run in (("together", "together"), ("alone", f"alone.{task}")):
            found = epochs_of(records, f"efficiency.{run}")
            points = [(record.train_examples[task], record.accuracy[task]) for record in found]
            means = DataFrame(points).groupby(0)[1].mean()  # over the seeds
            one.plot(means.index, means, "o-", color=colours[kind], label=kind)
        y = "final accuracy" if task == tasks[0] else ""
        label(one, title=task, x="training examples", y=y).set(xscale="log", ylim=(0.0, 1.02))
        one.set_xticks(means.index, [f"{size:,}" for size in means.index])
        one.minorticks_off()
    legend(axes[0, 0])
    return figure


def plot_edges(names: Sequence[str], weights: np.ndarray) -> Drawing:
    """What each edge type adds to the attention score, by layer and head. ``weights`` (edge types,
    layers · heads).
    """
    figure, axes = new_figure(width=9.0, height=4.6)
    one, bound = axes[0, 0], float(np.abs(weights).max())
    image = one.imshow(weights, aspect="auto", cmap="PuOr", vmin=-bound, vmax=bound)
    one.set(yticks=range(len(names)), yticklabels=names, xticks=range(weights.shape[1]))
    one.grid(False)
    figure.colorbar(image, ax=one, label="added to the score")
    title = "Which edges the model came to use"
    label(one, title=title, x="head, layer after layer", y="edge type")
    return figure


def plot_look(looks: Sequence[Look]) -> Drawing:
    """What each head answers to a text, and the edges that its answer rests on, a panel a task.

    An arc joins two characters, the wider the more it counts; the ring before the first character
    is the virtual node, which the answer is read from.
    """
    nodes = ["○", *(one for one in looks[0].text if not one.isspace())]
    figure, axes = new_figure(len(looks), 1, width=9.0, height=2.6 * len(looks))
    colours = colour_of([found.task for found in looks])
    for one, found in zip(axes[:, 0], looks, strict=True):
        for place, character in enumerate(nodes):
            one.text(place, 0.0, character, ha="center", va="top", fontsize=13, family="monospace")
        strongest = max((edge.weight for edge in found.edges), default=1.0)
        for edge in found.edges:
            ends = sorted((edge.reader, edge.read))
            across = np.linspace(0.0, np.pi, 40)
            middle, half = sum(ends) / 2, (ends[1] - ends[0]) / 2
            # An edge to itself is a small loop; the others rise with the square root, so that long
            # ones do not hide the short.
            x = middle - (half or 0.3) * np.cos(across)
            y = 0.08 + np.sqrt(half or 0.3) * np.sin(across)
            width = 0.5 + 4.0 * edge.weight / strongest
            one.plot(x, y, color=colours[found.task], lw=width, alpha=0.75, solid_capstyle="round")
        one.set(xlim=(-1.0, max(len(nodes), 20)), ylim=(-0.7, 1.0 + np.sqrt(len(nodes) / 2)))
        one.axis("off")
        one.set_title(_said(found), loc="left", fontsize=12, fontweight="bold")
    return figure


def _said(found: Look) -> str:
    if found.unread:
        return f"{found.task}: unknown, since {found.unread!r} was never seen"
    shares: dict[str, float] = {}
    for edge in found.edges:
        for kind in edge.types:
            shares[kind] = shares.get(kind, 0.0) + edge.weight
    strongest = sorted(shares, key=shares.get, reverse=True)[:3]
    along = f" by way of {', '.join(strongest)}" if strongest else ""
    return f"{found.task}: {found.answer} ({found.probability:.2f}){along}"
