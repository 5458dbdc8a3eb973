"""Figures of notebook 04: how facts are learned, and what it costs the rest of the model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from fledgling.core.statistics import mean_interval
from fledgling.facts.measuring.tables import (
    Step,
    first_seed,
    mean_of,
    metric_values,
    recipes_of,
    select,
)
from fledgling.reports.figures import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    VERMILION,
    Drawing,
    colour_of,
    label,
    legend,
    new_figure,
)

SCORES = {
    "efficacy": "efficacy\n(asked directly)",
    "generalization": "generalization\n(asked in other words)",
    "near_miss": "near miss\n(lower is better)",
    "locality": "locality\n(rest unchanged)",
}


def plot_one_fact(updates: Sequence[Step], *, base_loss: float | None = None) -> Drawing:
    """The loss on one fact's rows before each of its updates; ``base_loss``: what the base has on
    them.
    """
    figure, axes = new_figure(width=6.0, height=3.2)
    one, losses = axes[0, 0], [step["loss"] for step in updates]
    shown = dict(enumerate(losses, start=1))
    names = {place: str(place) for place in shown}
    title = f"One fact: loss {losses[-1]:.2f} at its last update"
    if base_loss is not None:
        shown, names = {0: base_loss} | shown, {0: "the base"} | names
        title += f", the base's {base_loss:.2f}"
    one.plot([*shown], [*shown.values()], marker="o", color=BLUE)
    for place, loss in shown.items():
        above = {"textcoords": "offset points", "xytext": (6, 6), "fontsize": 9}
        one.annotate(f"{loss:.2f}", (place, loss), **above)
    one.set_xlim(min(shown) - 0.3, max(shown) + 0.3)
    one.set_ylim(0, 1.2 * max(shown.values()))
    one.set_xticks([*shown], [*names.values()])
    label(one, title=title, x="update", y="loss before it (nats/token)")
    return figure


def plot_learning_curves(steps: Sequence[Step]) -> Drawing:
    """Loss before each update, one line a fact and the median over facts, a panel a recipe."""
    recipes = [recipe for recipe in recipes_of(steps) if select(steps, "update", recipe)]
    columns = min(max(len(recipes), 1), 4)
    rows = -(-max(len(recipes), 1) // columns)
    figure, axes = new_figure(
        rows, columns, width=2.9 * columns + 0.6, height=3.1 * rows, share_y=True
    )
    for one, recipe in zip(axes.flat, recipes, strict=False):
        curves = _losses(steps, recipe)
        for curve in curves:
            one.plot(range(1, len(curve) + 1), curve, color=GREY, linewidth=0.8, alpha=0.6)
        longest = max(map(len, curves))
        medians = [
            np.median([curve[place] for curve in curves if len(curve) > place])
            for place in range(longest)
        ]
        one.plot(
            range(1, longest + 1),
            medians,
            color=BLUE,
            linewidth=2.6,
            label="median of facts still learning",
        )
        one.set_yscale("log")
        one.set_xticks(range(1, longest + 1, max(1, longest // 8)))
        label(
            one,
            title=recipe,
            x="update of the fact",
            y="loss before it (nats/token)" if one is axes.flat[0] else "",
        )
    for one in axes.flat[len(recipes) :]:
        one.set_visible(False)
    if recipes:
        legend(axes.flat[0])
    figure.suptitle(
        "How fast the loss on a new fact's rows falls", x=0.01, ha="left", fontweight="bold"
    )
    return figure


def _losses(steps: Sequence[Step], recipe: str) -> list[list[float]]:
    curves: dict[tuple, list[float]] = {}
    for step in select(steps, "update", recipe, first_seed(steps)):
        if step["loss"] is not None:
            curves.setdefault((step["step"], step["name"], step["attempt"]), []).append(
                max(step["loss"], 1e-4)
            )
    return list(curves.values())


def plot_timeline(steps: Sequence[Step]) -> Drawing:
    """Updates spent on each fact in the order taught, coloured by what became of them, a row a
    recipe.
    """
    recipes = [recipe for recipe in recipes_of(steps) if select(steps, "update", recipe)]
    figure, axes = new_figure(
        max(len(recipes), 1), 1, width=8.4, height=1.4 + 1.45 * max(len(recipes), 1)
    )
    for one, recipe in zip(axes[:, 0], recipes, strict=False):
        _draw_timeline(one, steps, recipe)
        last = recipe == recipes[-1]
        label(one, title=recipe, x="fact, in the order taught" if last else "", y="updates")
    if recipes:
        legend(axes[0, 0], beside=True)
    return figure


def _draw_timeline(axes: Axes, steps: Sequence[Step], recipe: str) -> None:
    seed = first_seed(steps)
    taught = sorted({step["step"] for step in select(steps, "turn", recipe, seed)})
    spent = {
        event: {step["step"] for step in select(steps, event, recipe, seed)}
        for event in ("rolled_back", "given_up")
    }
    counts = dict.fromkeys(taught, 0)
    for step in select(steps, "update", recipe, seed):
        counts[step["step"]] = counts.get(step["step"], 0) + 1
    groups = {
        "kept": (BLUE, set(counts) - spent["rolled_back"] - spent["given_up"]),
        "rolled back, then kept": (ORANGE, spent["rolled_back"] - spent["given_up"]),
        "given up": (VERMILION, spent["given_up"]),
    }
    for name, (colour, chosen) in groups.items():
        places = sorted(chosen)
        axes.bar(places, [counts[place] for place in places], color=colour, width=0.8)
        axes.bar(
            [np.nan], [0], color=[colour], label=name
        )  # so that the legend names what did not happen, too
    idle = {place for place in counts if counts[place] == 0}
    kept = {step["step"] for step in select(steps, "remembered", recipe, seed)}
    marks = {
        "kept as it was told, no update": ("o", BLUE, idle & kept),
        "nothing to learn found": ("x", "#333333", idle - kept),
    }
    for name, (marker, colour, chosen) in marks.items():
        heights = [0.15] * len(chosen)
        axes.scatter(
            sorted(chosen), heights, marker=marker, color=colour, s=26, zorder=3, label=name
        )
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlim(min(counts, default=0) - 0.6, max(counts, default=0) + 0.6)
    axes.set_ylim(0, max([*counts.values(), 1]) * 1.15)


def plot_scores(steps: Sequence[Step]) -> Drawing:
    """Efficacy, generalization, near miss and locality of every recipe side by side, with 95%
    intervals over seeds.
    """
    recipes = recipes_of(steps)
    colours, width = colour_of(recipes), 0.8 / max(len(recipes), 1)
    figure, axes = new_figure(width=9.4, height=4.2)
    one = axes[0, 0]
    for place, recipe in enumerate(recipes):
        values = metric_values(steps, recipe)
        at = np.arange(len(SCORES)) + (place - (len(recipes) - 1) / 2) * width
        known = [
            (x, mean_interval(values[name]))
            for x, name in zip(at, SCORES, strict=True)
            if values.get(name)
        ]
        heights = [interval.mean for _, interval in known]
        spread = np.array(
            [[interval.mean - interval.low, interval.high - interval.mean] for _, interval in known]
        ).T
        several = any(interval.count > 1 for _, interval in known)
        one.bar(
            [x for x, _ in known],
            heights,
            width * 0.92,
            color=colours[recipe],
            label=recipe,
            yerr=np.nan_to_num(spread) if several else None,
            capsize=2,
        )
        for (x, _), height in zip(known, heights, strict=True):
            one.text(
                x,
                height + 0.015,
                f"{height:.2f}".removeprefix("0") if 0 < height < 1 else f"{height:.0f}",
                ha="center",
                fontsize=8,
                color="#333333",
            )
    one.set_xticks(range(len(SCORES)), list(SCORES.values()))
    one.set_ylim(0, 1.1)
    one.grid(axis="x", visible=False)
    label(
        one,
        title="What each recipe keeps, and what it spoils",
        x="measure",
        y="share of questions or tokens",
    )
    legend(one, beside=True)
    return figure


def plot_recall_and_use(steps: Sequence[Step]) -> Drawing:
    """What a recipe can say back against what it can use, one point a recipe: a look-up lies far
    right and low.
    """
    recipes = recipes_of(steps)
    colours = colour_of(recipes)
    figure, axes = new_figure(width=6.4, height=4.6)
    one = axes[0, 0]
    one.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=0.8, zorder=0)
    points: dict[tuple[float, float], list[str]] = defaultdict(list)
    for recipe in recipes:
        values = metric_values(steps, recipe)
        if values.get("generalization") and values.get("use"):
            x, y = mean_interval(values["generalization"]).mean, mean_interval(values["use"]).mean
            one.scatter([x], [y], s=60, color=colours[recipe])
            points[round(x, 3), round(y, 3)].append(recipe)
    for (x, y), names in points.items():  # recipes that lie on one point share its label
        words = f"{', '.join(names)} {y:.2f}"
        one.annotate(words, (x, y), (6, 5), textcoords="offset points", fontsize=8)
    one.set_xlim(-0.05, 1.3)
    one.set_xticks(np.linspace(0.0, 1.0, 6))
    one.set_ylim(-0.05, 1.05)
    label(
        one,
        title="Saying a fact back, and using it",
        x="rephrased questions answered (share)",
        y="questions of use answered (share)",
    )
    return figure


def plot_pareto(steps: Sequence[Step]) -> Drawing:
    """Recall against drift: mean of efficacy and generalization over anchor KL and over near
    misses, the recipes that no other beats in both joined by a line.
    """
    figure, axes = new_figure(1, 2, width=10.0, height=4.2, share_y=True)
    for one, (metric, words, bar) in zip(
        axes[0],
        (
            ("anchor_kl", "held-out anchor KL (nats/token)", 0.05),
            ("near_miss", "share of neighbours contaminated", 0.05),
        ),
        strict=True,
    ):
        points = recall_against(steps, metric)
        colours = colour_of(recipes_of(steps))
        front = pareto_front(points)
        one.plot(
            [points[name][0] for name in front],
            [points[name][1] for name in front],
            color=GREY,
            linewidth=1.2,
            linestyle="--",
            zorder=1,
        )
        for name, (x, y) in points.items():
            one.scatter(
                [x], [y], s=90, color=colours[name], zorder=2, edgecolor="white", label=name
            )
        one.axvline(bar, color=GREEN, linewidth=1.0)
        one.annotate(
            "bar", (bar, 0.5), color=GREEN, fontsize=9, xytext=(3, 0), textcoords="offset points"
        )
        one.set_xscale("symlog", linthresh=0.01)
        one.set_xlim(-0.002, max([x for x, _ in points.values()] + [0.1]) * 1.6)
        one.set_ylim(-0.05, 1.08)
        label(
            one,
            title=f"Recall against {metric.replace('_', ' ')}",
            x=words,
            y="recall: mean of direct and paraphrased" if metric == "anchor_kl" else "",
        )
    legend(axes[0, 1], beside=True)
    return figure


def recall_against(steps: Sequence[Step], metric: str) -> dict[str, tuple[float, float]]:
    """Recipe → (``metric``, mean of efficacy and generalization), where all three were measured."""
    points = {}
    for recipe in recipes_of(steps):
        cost, *recall = (
            mean_of(steps, recipe, name) for name in (metric, "efficacy", "generalization")
        )
        if cost is not None and None not in recall:
            points[recipe] = (max(cost, 0.0), sum(recall) / 2)
    return points


def pareto_front(points: dict[str, tuple[float, float]]) -> list[str]:
    """The names that no other beats in both coordinates (lower x, higher y), by x.

    >>> pareto_front({"a": (0.0, 0.5), "b": (0.1, 0.4), "c": (0.2, 0.9)})
    ['a', 'c']
    """
    ordered = sorted(points, key=lambda name: (points[name][0], -points[name][1]))
    front: list[str] = []
    for name in ordered:
        if not front or points[name][1] > points[front[-1]][1]:
            front.append(name)
    return front
