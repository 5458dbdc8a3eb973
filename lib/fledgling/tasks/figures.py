"""Figures of notebook 03, made from the epoch records of a run: ``steps.jsonl`` alone is enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fledgling.reports.figures import (
    GREY,
    SEQUENTIAL,
    Drawing,
    colour_of,
    label,
    legend,
    new_figure,
)

Steps = Sequence[Mapping[str, Any]]


def epochs_of(steps: Steps, name: str) -> list[Mapping[str, Any]]:
    """The epoch records of the run ``name``, in order."""
    return [step for step in steps if step["event"] == "epoch" and step["name"] == name]


def plot_learning(steps: Steps, name: str) -> Drawing:
    """Accuracy and loss of every task over the updates of one run."""
    epochs = epochs_of(steps, name)
    tasks = list(epochs[-1]["accuracy"])
    colours, updates = colour_of(tasks), [epoch["updates"] for epoch in epochs]
    figure, axes = new_figure(1, 2, width=10.0, height=3.8)
    for task in tasks:
        axes[0, 0].plot(
            updates,
            [epoch["accuracy"].get(task, np.nan) for epoch in epochs],
            "o-",
            ms=3.5,
            color=colours[task],
            label=task,
        )
        axes[0, 1].plot(
            updates,
            [epoch["loss"].get(task, np.nan) for epoch in epochs],
            "o-",
            ms=3.5,
            color=colours[task],
        )
    axes[0, 0].set_ylim(0.0, 1.02)
    axes[0, 1].set_ylim(bottom=0.0)
    label(
        axes[0, 0],
        title="Both tasks are learned together",
        x="updates",
        y="accuracy on unseen items",
    )
    label(axes[0, 1], title="and their losses fall", x="updates", y="loss on unseen items, nats")
    legend(axes[0, 0])
    return figure


def plot_retention(steps: Steps, names: Sequence[str], titles: Sequence[str]) -> Drawing:
    """Heat maps of accuracy by task over time, one a run: forgetting is a row that darkens."""
    figure, axes = new_figure(len(names), 1, width=9.0, height=1.0 + 1.5 * len(names))
    for one, name, title in zip(axes[:, 0], names, titles, strict=True):
        epochs = epochs_of(steps, name)
        tasks = list(epochs[-1]["accuracy"])
        table = np.array([[epoch["accuracy"][task] for epoch in epochs] for task in tasks])
        image = one.imshow(table, aspect="auto", cmap=SEQUENTIAL, vmin=0.0, vmax=1.0)
        for (row, column), value in np.ndenumerate(table):
            if column % max(1, len(epochs) // 10) == 0 or column == len(epochs) - 1:
                one.text(
                    column,
                    row,
                    f"{value:.2f}",
                    ha="center",
                    va="center",
                    fontsize=8,
                    color="white" if value < 0.55 else "black",
                )
        one.set_yticks(range(len(tasks)), tasks)
        one.set_xticks(
            range(len(epochs)),
            [
                str(epoch["updates"]) if place % max(1, len(epochs) // 10) == 0 else ""
                for place, epoch in enumerate(epochs)
            ],
        )
        one.grid(False)
        label(one, title=title, x="updates" if name == names[-1] else "", y="")
    figure.colorbar(image, ax=axes, label="accuracy on unseen items")
    return figure


def plot_skills(skills: Mapping[str, Mapping[str, float]]) -> Drawing:
    """Accuracy by skill, a panel a task."""
    figure, axes = new_figure(1, len(skills), width=10.0, height=4.0)
    colours = colour_of(list(skills))
    for one, (task, accuracies) in zip(axes[0], skills.items(), strict=True):
        names, values = list(accuracies)[::-1], list(accuracies.values())[::-1]
        one.barh(names, values, color=colours[task], height=0.7)
        for place, value in enumerate(values):
            inside = value > 0.15
            one.text(
                value - 0.02 if inside else value + 0.02,
                place,
                f"{value:.2f}",
                va="center",
                fontsize=9,
                ha="right" if inside else "left",
                color="white" if inside else "black",
            )
        one.set_xlim(0.0, 1.0)
        one.grid(axis="y", visible=False)
        label(one, title=task, x="accuracy on unseen items", y="")
    return figure


def plot_conflict(steps: Steps, names: Sequence[str]) -> Drawing:
    """Cosine between the tasks' gradients on the shared parameters over the updates of each run."""
    figure, axes = new_figure(width=8.0, height=3.8)
    one, colours = axes[0, 0], colour_of(list(names))
    for name in names:
        epochs = [epoch for epoch in epochs_of(steps, name) if epoch.get("conflict") is not None]
        one.plot(
            [epoch["updates"] for epoch in epochs],
            [epoch["conflict"] for epoch in epochs],
            "o-",
            ms=3.5,
            color=colours[name],
            label=name,
        )
    one.axhline(0.0, color=GREY, lw=1.0)
    label(
        one,
        title="How far the tasks' gradients agree (below 0: conflict)",
        x="updates",
        y="cosine of the gradients",
    )
    legend(one, beside=True)
    return figure


def plot_comparison(rows: Sequence[Mapping[str, Any]]) -> Drawing:
    """Final accuracy of each task under every strategy, remedy and balancing. Rows: ``name``,
    ``accuracy``.
    """
    tasks = list(rows[0]["accuracy"])
    figure, axes = new_figure(width=8.5, height=0.9 + 0.45 * len(rows))
    one, colours = axes[0, 0], colour_of(tasks)
    height = 0.8 / len(tasks)
    for place, task in enumerate(tasks):
        at = np.arange(len(rows)) + (place - (len(tasks) - 1) / 2) * height
        one.barh(
            at,
            [row["accuracy"][task] for row in rows],
            height=height * 0.92,
            color=colours[task],
            label=task,
        )
    one.set_yticks(range(len(rows)), [row["name"] for row in rows])
    one.invert_yaxis()
    one.set_xlim(0.0, 1.0)
    one.grid(axis="y", visible=False)
    label(
        one, title="What remains of each task at the end", x="final accuracy on unseen items", y=""
    )
    legend(one, beside=True)
    return figure


def plot_transfer(intervals: Mapping[str, tuple[float, float, float]], bar: float) -> Drawing:
    """Multi-task minus single-task accuracy. ``intervals``: task → mean, low, high; NaN where one
    seed only.
    """
    figure, axes = new_figure(width=8.0, height=0.9 + 0.7 * len(intervals))
    one, colours = axes[0, 0], colour_of(list(intervals))
    for place, (task, (mean, low, high)) in enumerate(intervals.items()):
        if np.isfinite(low):
            one.plot([low, high], [place, place], color=colours[task], lw=2.0)
        one.plot(mean, place, "o", ms=8.0, color=colours[task])
        one.annotate(
            f"{mean:+.3f}",
            (mean, place),
            textcoords="offset points",
            xytext=(0, 9),
            ha="center",
            fontsize=9,
        )
    one.axvline(0.0, color=GREY, lw=1.0)
    one.axvline(bar, color=GREY, lw=1.0, ls="--")
    one.set_yticks(range(len(intervals)), list(intervals))
    one.set_ylim(-0.6, len(intervals) - 0.4)
    one.set_xlim(
        min(-0.03, *(value[1] for value in intervals.values() if np.isfinite(value[1])), bar)
        - 0.005,
        max(0.03, *(value[2] for value in intervals.values() if np.isfinite(value[2])), 0.0)
        + 0.005,
    )
    label(
        one,
        title="Does sharing help? (dashed: the bar)",
        x="accuracy together − accuracy alone",
        y="",
    )
    return figure


def plot_efficiency(steps: Steps) -> Drawing:
    """Accuracy against the number of training examples, together and alone, a panel a task."""
    runs = [step for step in steps if step["event"] == "efficiency"]
    tasks = list(next(run for run in runs if run["name"] == "together")["accuracy"])
    figure, axes = new_figure(1, len(tasks), width=10.0, height=3.8, share_y=True)
    colours = colour_of(["together", "alone"])
    for one, task in zip(axes[0], tasks, strict=True):
        for kind, name in (("together", "together"), ("alone", f"alone.{task}")):
            points = sorted(
                (run["train_examples"][task], run["accuracy"][task])
                for run in runs
                if run["name"] == name
            )
            sizes = sorted({size for size, _ in points})
            means = [
                np.mean([value for size, value in points if size == wanted]) for wanted in sizes
            ]
            one.plot(sizes, means, "o-", color=colours[kind], label=kind)
        one.set_xscale("log")
        one.set_xticks(sizes, [f"{size:,}" for size in sizes])
        one.minorticks_off()
        one.set_ylim(0.0, 1.02)
        label(
            one, title=task, x="training examples", y="final accuracy" if task == tasks[0] else ""
        )
    legend(axes[0, 0])
    return figure


def plot_edges(names: Sequence[str], weights: np.ndarray) -> Drawing:
    """What each edge type adds to the attention score, by layer and head. ``weights`` (edge types,
    layers · heads).
    """
    figure, axes = new_figure(width=9.0, height=4.6)
    one, bound = axes[0, 0], float(np.abs(weights).max())
    image = one.imshow(weights, aspect="auto", cmap="PuOr", vmin=-bound, vmax=bound)
    one.set_yticks(range(len(names)), names)
    one.set_xticks(range(weights.shape[1]))
    one.grid(False)
    figure.colorbar(image, ax=one, label="added to the score")
    label(
        one, title="Which edges the model came to use", x="head, layer after layer", y="edge type"
    )
    return figure
