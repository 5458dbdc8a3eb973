"""Figures of auto-learning, each from records alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fledgling.reports.figures import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PALETTE,
    SKY,
    VERMILION,
    label,
    legend,
    new_figure,
)

COLOUR_OF_VERDICT = {"PROMOTE": GREEN, "HOLD": GREY, "ROLL BACK": VERMILION, "INVALID": ORANGE}
VARIANT_COLOURS = {"champion": BLUE, "challenger": VERMILION}


def plot_collection(report: Mapping[str, Any], rows: Mapping[str, int]) -> Figure:
    """Left: rows from layer to layer. Right: why outcomes are not learned from."""
    figure, axes = new_figure(1, 2, width=11.0, height=3.8)
    stages = {
        "received": rows["bronze"],
        "typed, one a task": rows["silver"],
        "learned from": report["high_quality"],
        "  to train on": report["training"],
        "  to validate": report["validation"],
    }
    _bars(axes[0, 0], stages, BLUE)
    label(axes[0, 0], title="From what arrived to what is learned", x="outcomes", y="")
    _bars(axes[0, 1], {**report["rejected"], "quarantined": rows["quarantine"]}, ORANGE)
    label(axes[0, 1], title="Why the others are not", x="outcomes", y="")
    return figure


def _bars(axis: Axes, values: Mapping[str, int], colour: str) -> None:
    names = list(values)[::-1]
    bars = axis.barh(names, [values[name] for name in names], color=colour)
    axis.bar_label(bars, padding=3, fontsize=9.5)
    axis.set_xlim(0, max([*values.values(), 1]) * 1.18)
    axis.grid(axis="y", visible=False)


def plot_training(steps: Sequence[Mapping[str, Any]]) -> Figure:
    """Loss by step of each model that was trained; ``steps`` hold name, step and loss."""
    figure, axes = new_figure(width=7.5, height=3.4)
    axis = axes[0, 0]
    for name, colour in zip(dict.fromkeys(step["name"] for step in steps), PALETTE, strict=False):
        chosen = [step for step in steps if step["name"] == name]
        axis.plot(
            [step["step"] + 1 for step in chosen],
            [step["loss"] for step in chosen],
            color=colour,
            label=name,
        )
    axis.set_ylim(bottom=0.0)
    label(axis, title="What the fine-tunes learn", x="update", y="loss (nats a token)")
    legend(axis)
    return figure


def plot_test(test: Mapping[str, Any]) -> Figure:
    """One challenger's test, task by task. ``test`` holds low and high (the interval of the
    difference in score), gain and loss (log evidence), shares, gain_limit and loss_limit, verdict,
    at (the task it was shown at, or None) and title.
    """
    figure, axes = new_figure(1, 2, width=11.0, height=3.9)
    tasks = np.arange(1, len(test["low"]) + 1)
    colour = COLOUR_OF_VERDICT[test["verdict"]]
    left, right = axes[0]
    left.fill_between(tasks, test["low"], test["high"], color=SKY, alpha=0.45, linewidth=0)
    left.plot(tasks, test["low"], color=BLUE, linewidth=1.2)
    left.plot(tasks, test["high"], color=BLUE, linewidth=1.2)
    left.axhline(0.0, color="black", linewidth=1.0)
    left.set_ylim(-1.02, 1.02)
    label(left, title=test["title"], x="task", y="challenger − champion (score)")
    right.plot(tasks, test["gain"], color=GREEN, label="it is better")
    right.plot(tasks, test["loss"], color=VERMILION, label="it is worse")
    right.axhline(test["gain_limit"], color=GREEN, linestyle="--", linewidth=1.0)
    right.axhline(test["loss_limit"], color=VERMILION, linestyle="--", linewidth=1.0)
    top = max(test["gain_limit"] * 1.6, *test["gain"], *test["loss"])
    right.set_ylim(-max(1.0, 0.3 * top), top * 1.08)
    label(right, title="Evidence, and what it takes", x="task", y="log of the capital (nats)")
    legend(right)
    for axis in (left, right):
        _mark_share(axis, tasks, test["shares"])
        if test["at"] is not None:
            axis.axvline(test["at"], color=colour, linewidth=1.4)
    where = test["at"] if test["at"] is not None else tasks[-1]
    left.annotate(
        test["verdict"],
        (where, 0.93),
        xycoords=("data", "axes fraction"),
        xytext=(-5, 0),
        textcoords="offset points",
        ha="right",
        color=colour,
        fontweight="bold",
    )
    return figure


def _mark_share(axis: Axes, tasks: np.ndarray, shares: Sequence[float]) -> None:
    """Where the challenger's share of the traffic grows."""
    for place in np.flatnonzero(np.diff(shares)) + 1:
        axis.axvline(tasks[place], color=GREY, linestyle=":", linewidth=1.2)
        axis.annotate(
            f"{shares[place]:.0%} from here",
            (tasks[place], 0.02),
            xycoords=("data", "axes fraction"),
            xytext=(3, 0),
            textcoords="offset points",
            fontsize=8,
            color=GREY,
        )


def plot_false_promotions(rows: Sequence[Mapping[str, Any]], *, bar: float) -> Figure:
    """How often each rule promotes a challenger that is the same: ``rows`` hold rule, share and
    promoted (share of tests).
    """
    figure, axes = new_figure(width=7.5, height=3.6)
    axis = axes[0, 0]
    rules = list(dict.fromkeys(row["rule"] for row in rows))
    shares = sorted({row["share"] for row in rows})
    width = 0.8 / len(shares)
    for number, (share, colour) in enumerate(zip(shares, (SKY, BLUE), strict=False)):
        values = [
            next(row["promoted"] for row in rows if (row["rule"], row["share"]) == (rule, share))
            for rule in rules
        ]
        place = np.arange(len(rules)) + (number - (len(shares) - 1) / 2) * width
        bars = axis.bar(place, values, width, color=colour, label=f"{share:.0%} of the traffic")
        axis.bar_label(bars, fmt=lambda value: f"{value:.1%}", fontsize=9, padding=2)
    axis.axhline(bar, color=VERMILION, linestyle="--", linewidth=1.2)
    axis.annotate(
        f"{bar:.0%}", (1.005, bar), xycoords=("axes fraction", "data"), color=VERMILION, va="center"
    )
    axis.set_xticks(np.arange(len(rules)), rules)
    axis.set_ylim(0, 1.2 * max([bar, *(row["promoted"] for row in rows)]))
    axis.grid(axis="x", visible=False)
    label(axis, title="Promoted by luck, looking after every task", x="", y="share of A/A tests")
    legend(axis)
    return figure


def plot_history(changes: Sequence[Mapping[str, Any]]) -> Figure:
    """Who served when: ``changes`` hold alias, model (or None) and hours since the beginning, in
    order; the last one's end is ``until``, in a record of its own without an alias.
    """
    figure, axes = new_figure(width=9.0, height=2.6)
    axis = axes[0, 0]
    until = max(change["hours"] for change in changes)
    models = list(dict.fromkeys(change["model"] for change in changes if change["model"]))
    colours = dict(zip(models, PALETTE, strict=False))
    for row, alias in enumerate(("challenger", "champion")):
        mine = [change for change in changes if change["alias"] == alias]
        ends = [*(change["hours"] for change in mine[1:]), until]
        for change, end in zip(mine, ends, strict=True):
            if change["model"]:
                start, width = change["hours"], end - change["hours"]
                axis.barh(row, width, left=start, color=colours[change["model"]], height=0.55)
    for model, colour in colours.items():
        axis.barh(0, 0, color=colour, label=model)
    axis.set_yticks([0, 1], ["challenger", "champion"])
    axis.set_ylim(-0.5, 1.5)
    axis.grid(axis="y", visible=False)
    label(axis, title="Who served when", x="hours since the first outcome", y="")
    legend(axis, beside=True)
    return figure


def plot_variants(numbers: Mapping[str, Any]) -> Figure:
    """Completion and quality by variant, from a decision's numbers."""
    figure, axes = new_figure(1, 2, width=8.0, height=3.2)
    panels = (("completion", "share of tasks", 1.0), ("quality", "rating (1 to 5)", 5.0))
    for axis, (name, unit, top) in zip(axes[0], panels, strict=True):
        variants = list(VARIANT_COLOURS)
        values = [numbers[variant][name] or 0.0 for variant in variants]
        bars = axis.bar(variants, values, color=list(VARIANT_COLOURS.values()), width=0.6)
        axis.bar_label(bars, fmt="%.3g", padding=2)
        axis.set_ylim(0, top * 1.12)
        axis.grid(axis="x", visible=False)
        label(axis, title=name.capitalize(), x="", y=unit)
    return figure


def plot_reliability(bins: Sequence[Any], *, error: float) -> Figure:
    """Is a predicted probability of improvement worth its number? ``bins`` hold said, came_true and
    count.
    """
    figure, axes = new_figure(width=4.8, height=4.2)
    axis = axes[0, 0]
    axis.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1.0)
    sizes = np.sqrt([one.count for one in bins])
    axis.scatter(
        [one.said for one in bins],
        [one.came_true for one in bins],
        s=12.0 + 220.0 * sizes / sizes.max(),
        color=BLUE,
        alpha=0.85,
    )
    axis.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    label(
        axis,
        title=f"Predicted before deployment (off by {error:.3f})",
        x="probability said",
        y="share that was better live",
    )
    return figure


def plot_areas(areas: Sequence[Any]) -> Figure:
    """Where one more example saves the most: ``areas`` hold name, loss, highest_loss, share,
    examples and priority.
    """
    figure, axes = new_figure(1, 2, width=11.0, height=3.2)
    names = [f"{area.name} ({area.examples:.0f} examples)" for area in areas][::-1]
    losses = [area.loss for area in areas][::-1]
    reach = [area.highest_loss - area.loss for area in areas][::-1]
    axes[0, 0].barh(names, losses, color=SKY, xerr=[[0.0] * len(reach), reach], ecolor=BLUE)
    label(axes[0, 0], title="What goes wrong, and how sure that is", x="loss (1 − score)", y="")
    bars = axes[0, 1].barh(
        [area.name for area in areas][::-1],
        [1e4 * area.priority for area in areas][::-1],
        color=GREEN,
    )
    axes[0, 1].bar_label(bars, fmt="%.2g", padding=3)
    label(axes[0, 1], title="Collect here next", x="score saved by one example (× 10⁻⁴)", y="")
    for axis in axes[0]:
        axis.grid(axis="y", visible=False)
    return figure


def plot_pareto(choices: Sequence[Any], best: Sequence[Any]) -> Figure:
    """Quality, speed and cost of the models; ``best`` are those that no other beats in all three.
    Choices hold model, score, seconds and usd.
    """
    figure, axes = new_figure(width=7.0, height=3.8)
    axis = axes[0, 0]
    names = {choice.model for choice in best}
    for choice in choices:
        colour = BLUE if choice.model in names else GREY
        axis.scatter(choice.seconds, choice.score, s=70, color=colour, zorder=3)
        axis.annotate(
            f"{choice.model}\n${1000 * choice.usd:.3g} a thousand tasks",
            (choice.seconds, choice.score),
            xytext=(7, -4),
            textcoords="offset points",
            fontsize=8.5,
            color=colour,
        )
    axis.margins(x=0.35, y=0.2)
    title = "Nothing beats the blue ones in quality, speed and cost at once"
    label(axis, title=title, x="seconds a task", y="mean score (0 to 1)")
    return figure
