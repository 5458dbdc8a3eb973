"""Figures of notebook 05: what is forgotten, when, and which remedy pays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fledgling.facts.measuring.forgetting import retention_by_lag
from fledgling.facts.measuring.tables import Step, first_seed, mean_of, recipes_of, select
from fledgling.reports.figures import (
    GREY,
    SEQUENTIAL,
    Drawing,
    bar_panels,
    colour_of,
    label,
    legend,
    new_figure,
)

REMEDY_METRICS = {
    "efficacy": "efficacy at the end",
    "forgetting": "forgetting",
    "near_miss": "near miss",
    "anchor_kl": "anchor KL (nats/token)",
}
LOWER_IS_BETTER = {"forgetting", "near_miss", "anchor_kl"}


def retention_matrix(steps: Sequence[Step], recipe: str, seed: int) -> list[list[float | None]]:
    """R[i][j]: share of fact j's direct probes answered after fact i was taught; None where j was
    still to come.
    """
    rows = [list(step["scores"]) for step in select(steps, "retention", recipe, seed)]
    return [row + [None] * (len(rows) - len(row)) for row in rows]


def mean_by_lag(steps: Sequence[Step], recipe: str) -> list[float]:
    """Retention by number of facts taught since, mean over seeds."""
    seeds = dict.fromkeys(step["seed"] for step in select(steps, "retention", recipe))
    curves = [retention_by_lag(retention_matrix(steps, recipe, seed)) for seed in seeds]
    shortest = min(map(len, curves), default=0)
    return [float(np.mean([curve[lag] for curve in curves])) for lag in range(shortest)]


def recall_by_count(steps: Sequence[Step], recipe: str) -> list[float]:
    """Share of all facts taught so far that are answered, after each fact, mean over seeds."""
    seeds = dict.fromkeys(step["seed"] for step in select(steps, "retention", recipe))
    curves = [
        [
            float(np.mean([score for score in row if score is not None] or [np.nan]))
            for row in retention_matrix(steps, recipe, seed)
        ]
        for seed in seeds
    ]
    return [float(value) for value in np.nanmean(np.array(curves), axis=0)] if curves else []


def plot_retention(steps: Sequence[Step]) -> Drawing:
    """The retention matrix of every recipe as a heat map: a row a fact just taught, a column a fact
    asked about.
    """
    recipes, seed = recipes_of(steps), first_seed(steps)
    columns = min(max(len(recipes), 1), 3)
    rows = -(-max(len(recipes), 1) // columns)
    figure, axes = new_figure(rows, columns, width=3.0 * columns + 1.0, height=2.9 * rows + 0.3)
    image = None
    for one, recipe in zip(axes.flat, recipes, strict=False):
        matrix = np.array(retention_matrix(steps, recipe, seed), dtype=float)
        image = one.imshow(matrix, vmin=0, vmax=1, cmap=SEQUENTIAL, origin="upper")
        ticks = range(0, len(matrix), max(1, len(matrix) // 6))
        one.set_xticks(ticks, [place + 1 for place in ticks])
        one.set_yticks(ticks, [place + 1 for place in ticks])
        one.grid(visible=False)
        label(one, title=recipe, x="fact asked about", y="facts taught so far")
    for one in axes.flat[len(recipes) :]:
        one.set_visible(False)
    if image is not None:
        shown = list(axes.flat[: len(recipes)])
        figure.colorbar(image, ax=shown, shrink=0.7, label="share of direct questions answered")
    return figure


def plot_retention_by_lag(steps: Sequence[Step]) -> Drawing:
    """How much is still answered when more facts have been taught since, a line a recipe."""
    recipes = recipes_of(steps)
    colours = colour_of(recipes)
    figure, axes = new_figure(width=7.6, height=4.0)
    one = axes[0, 0]
    for recipe, marker in zip(recipes, "osD^vPX*<>" * 2, strict=False):
        means = mean_by_lag(steps, recipe)
        one.plot(
            range(len(means)),
            means,
            marker=marker,
            markersize=5,
            color=colours[recipe],
            label=recipe,
            alpha=0.9,
        )
    one.set_ylim(-0.04, 1.06)
    one.xaxis.get_major_locator().set_params(integer=True)
    label(
        one,
        title="What is left as more is taught",
        x="facts taught since",
        y="share of direct questions answered",
    )
    legend(one, beside=True)
    return figure


def plot_remedies(steps: Sequence[Step]) -> Drawing:
    """What each remedy buys and costs, a panel a metric, a bar a recipe."""
    recipes = recipes_of(steps)
    panels = {
        words: [mean_of(steps, recipe, metric) for recipe in recipes]
        for metric, words in REMEDY_METRICS.items()
    }
    lower = [REMEDY_METRICS[metric] for metric in LOWER_IS_BETTER]
    return bar_panels(recipes, panels, lower=lower)


def plot_memory_growth(
    steps: Sequence[Step], recipes: Sequence[str] = ("default", "in_context")
) -> Drawing:
    """Recall over everything taught so far as the facts become more: in the weights against in the
    prompt.
    """
    figure, axes = new_figure(width=7.2, height=4.0)
    one, colours = axes[0, 0], colour_of(recipes_of(steps))
    for recipe, marker in zip(recipes, "os^D", strict=False):
        recall = recall_by_count(steps, recipe)
        if recall:
            one.plot(
                range(1, len(recall) + 1),
                recall,
                marker=marker,
                markersize=5,
                label=recipe,
                color=colours.get(recipe, GREY),
            )
    one.set_ylim(-0.04, 1.06)
    one.xaxis.get_major_locator().set_params(integer=True)
    label(
        one,
        title="Facts in the weights against facts in the prompt",
        x="facts told so far",
        y="share of their direct questions answered",
    )
    legend(one, beside=True)
    return figure
