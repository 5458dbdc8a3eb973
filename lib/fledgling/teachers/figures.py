"""Figures about teachers: agreement, trust, calibration, the price of abstaining, pool size, the
learner's rounds.
"""

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
    SEQUENTIAL,
    VERMILION,
    new_figure,
)
from fledgling.teachers.calibration import CoveragePoint, ReliabilityBin


def plot_decisions(
    rows: Sequence[Mapping[str, Any]], *, agreement: float, consensus: float
) -> Figure:
    """What kinds of pools lead to: ``rows`` hold pool, agreement, quality, confidence, accuracy and
    flagged.
    """
    figure, axes = new_figure(width=9.0)
    axis = axes[0, 0]
    place, width = np.arange(len(rows)), 0.16
    for number, name in enumerate(("agreement", "quality", "confidence", "accuracy", "flagged")):
        left, heights = place + (number - 2) * width, [row[name] for row in rows]
        axis.bar(left, heights, width, color=PALETTE[number], label=name)
    axis.axhline(agreement, color=GREY, linestyle="--", linewidth=1)
    axis.axhline(consensus, color=GREY, linestyle=":", linewidth=1)
    for level, meaning in ((agreement, "no caveat above"), (consensus, "flagged below")):
        axis.annotate(
            meaning,
            (1.005, level),
            xycoords=("axes fraction", "data"),
            color=GREY,
            fontsize=8,
            va="center",
        )
    axis.set_xticks(place, [row["pool"] for row in rows])
    axis.set(
        ylim=(0, 1.05),
        ylabel="mean over questions, or share (0 to 1)",
        title="A pool that errs together looks as sound as one that is right",
    )
    axis.legend(ncols=5, loc="upper center", bbox_to_anchor=(0.5, -0.1), frameon=False)
    return figure


def plot_pool_size(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Accuracy, confidence and latency against the number of teachers: ``rows`` hold pool, size and
    the three.
    """
    figure, axes = new_figure(1, 3, width=11.0, height=3.8)
    panels = (
        ("accuracy", "answers that are right (share)"),
        ("confidence", "mean confidence (0 to 1)"),
        ("latency_ms", "median time to a decision (ms)"),
    )
    for axis, (value, label) in zip(axes[0], panels, strict=True):
        for pool in dict.fromkeys(row["pool"] for row in rows):
            chosen = [row for row in rows if row["pool"] == pool]
            axis.plot(
                [row["size"] for row in chosen],
                [row[value] for row in chosen],
                marker="o",
                label=pool,
            )
        axis.set(
            xlabel="teachers asked", ylabel=label, xticks=sorted({row["size"] for row in rows})
        )
        axis.set_ylim(0, 1.02 if value != "latency_ms" else None)
    axes[0, 1].set_title("More teachers help only as far as they err apart")
    axes[0, 0].legend(frameon=False, loc="lower right")
    return figure


def plot_matrix(
    matrix: np.ndarray, names: Sequence[str], *, title: str, label: str, low: float = 0.0
) -> Figure:
    """A square matrix (T, T) between teachers: agreement, or correlation of errors, with the
    numbers written in.
    """
    size = 2.6 + 0.62 * len(names)
    figure, axes = new_figure(width=size + 1.4, height=size)
    axis = axes[0, 0]
    image = axis.imshow(matrix, vmin=low, vmax=1.0, cmap=SEQUENTIAL)
    for (row, column), value in np.ndenumerate(matrix):
        dark = (value - low) / (1.0 - low) < 0.6
        axis.text(
            column,
            row,
            f"{value:.2f}",
            ha="center",
            va="center",
            color="white" if dark else "black",
            fontsize=9,
        )
    axis.set_xticks(range(len(names)), names, rotation=35, ha="right")
    axis.set_yticks(range(len(names)), names)
    axis.grid(False)
    axis.set_title(title)
    figure.colorbar(image, ax=axis, label=label, shrink=0.8)
    return figure


def plot_against_baselines(accuracies: Mapping[str, float], *, title: str) -> Figure:
    """Accuracy of ways to decide, best at the top; the way called ``trust`` stands out."""
    ranked = dict(sorted(accuracies.items(), key=lambda pair: pair[1]))
    colours = [BLUE if name.startswith("trust") else GREY for name in ranked]
    figure, axis = _bars(ranked, colours, "answers that are right (share)", title)
    axis.bar_label(axis.containers[0], fmt="%.2f", padding=3)
    axis.set_xlim(0, 1.08)
    return figure


def plot_weights(weights: Mapping[str, float]) -> Figure:
    """What each teacher's vote is worth after the gold labels; below zero: rather believe the
    opposite.
    """
    ranked = dict(sorted(weights.items(), key=lambda pair: pair[1]))
    colours = [BLUE if value >= 0 else ORANGE for value in ranked.values()]
    title = "Trust learned from a few gold labels"
    figure, axis = _bars(ranked, colours, "weight of a full vote (log-odds)", title)
    axis.axvline(0, color="#333333", linewidth=0.8)
    return figure


def _bars(
    values: Mapping[str, float], colours: Sequence[str], label: str, title: str
) -> tuple[Figure, Axes]:
    figure, axes = new_figure(width=7.5, height=0.9 + 0.45 * len(values))
    axis = axes[0, 0]
    axis.barh([*values], [*values.values()], color=colours)
    axis.grid(axis="y", visible=False)
    axis.set(xlabel=label, title=title)
    return figure, axis


def plot_calibration(
    bins: Sequence[ReliabilityBin],
    curve: Sequence[CoveragePoint],
    *,
    ece: float,
    target: float = 0.9,
) -> Figure:
    """Left: is a confidence worth its number. Right: accuracy against the share of questions
    answered.
    """
    figure, axes = new_figure(1, 2, width=9.5, height=4.2)
    _reliability(axes[0, 0], bins, ece)
    _coverage(axes[0, 1], curve, target)
    return figure


def _reliability(axis: Axes, bins: Sequence[ReliabilityBin], ece: float) -> None:
    axis.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
    axis.text(0.97, 0.94, "perfect", color=GREY, fontsize=8, ha="right", va="top", rotation=38)
    counts = np.array([part.count for part in bins], dtype=float)
    axis.scatter(
        [part.confidence for part in bins],
        [part.accuracy for part in bins],
        s=30 + 400 * counts / counts.sum(),
        color=BLUE,
        alpha=0.85,
        zorder=3,
    )
    for part in bins:
        axis.annotate(
            f"n={part.count}",
            (part.confidence, part.accuracy),
            textcoords="offset points",
            xytext=(8, -14),
            fontsize=8,
        )
    axis.set(
        xlim=(0, 1),
        ylim=(0, 1.04),
        xlabel="confidence (0 to 1)",
        ylabel="answers that are right (share)",
        title=f"Confidence against truth, ECE {ece:.3f}",
    )


def _coverage(axis: Axes, curve: Sequence[CoveragePoint], target: float) -> None:
    axis.plot(
        [point.coverage for point in curve],
        [point.accuracy for point in curve],
        color=GREEN,
        marker="o",
        markersize=4,
    )
    axis.axhline(target, color=VERMILION, linestyle="--", linewidth=1)
    reached = max((point.coverage for point in curve if point.accuracy >= target), default=0.0)
    axis.text(0.02, target - 0.012, f"target {target:.0%}", color=VERMILION, fontsize=8, va="top")
    low = min(min((point.accuracy for point in curve), default=target), target)
    axis.set(
        xlim=(0, 1.02),
        ylim=(max(0.0, low - 0.1), 1.02),
        xlabel="questions answered (share)",
        ylabel="of those right (share)",
        title=f"{reached:.0%} can be answered at {target:.0%} right",
    )


def plot_answered(confidence: np.ndarray, correct: np.ndarray, threshold: float) -> Figure:
    """Right and wrong answers (N,) by their confidence, and what answering from ``threshold`` on
    leaves of them.
    """
    given, right = confidence >= threshold, np.asarray(correct, dtype=bool)
    share = f"{right[given].mean():.0%} of those right" if given.any() else "none given"
    figure, axes = new_figure(width=7.5, height=3.6)
    axis = axes[0, 0]
    axis.hist(
        [confidence[right], confidence[~right]],
        bins=np.linspace(0, 1, 21),
        stacked=True,
        color=[BLUE, ORANGE],
        label=["right", "wrong"],
    )
    axis.axvspan(0, threshold, color=GREY, alpha=0.25, label="not given")
    axis.legend(loc="upper left", frameon=False)
    axis.yaxis.get_major_locator().set_params(integer=True)
    axis.set(
        xlim=(0, 1),
        xlabel="confidence of the decision (0 to 1)",
        ylabel="questions",
        title=f"From {threshold:.2f} on: {given.mean():.0%} answered, {share}",
    )
    return figure


def plot_rounds(rounds: Sequence[Mapping[str, Any]]) -> Figure:
    """The learner's error on each task and its agreement with the teachers, round by round (round
    0: untaught).
    """
    figure, axes = new_figure(1, 2, width=10.0, height=4.0)
    _errors(axes[0, 0], rounds)
    _agreement(axes[0, 1], rounds)
    return figure


def _errors(axis: Axes, rounds: Sequence[Mapping[str, Any]]) -> None:
    numbers, errors = [row["step"] for row in rounds], [row["error"] for row in rounds]
    for task in rounds[0]["tasks"]:
        found = [row["tasks"][task] for row in rounds]
        axis.plot(numbers, found, marker="o", label=task, alpha=0.75)
    axis.plot(numbers, errors, color="black", linewidth=3, marker="s", label="all")
    axis.set(
        xticks=numbers,
        ylim=(-0.03, 1.03),
        xlabel="teaching round",
        ylabel="answers that are wrong (share)",
        title=f"The learner's error: {errors[0]:.0%} untaught, {errors[-1]:.0%} at the end",
    )
    axis.legend(frameon=False, fontsize=8)


def _agreement(axis: Axes, rounds: Sequence[Mapping[str, Any]]) -> None:
    numbers, found = [row["step"] for row in rounds], [row["agreement"] for row in rounds]
    trusted = rounds[-1]["trusted"]
    axis.plot(numbers, found, color=GREEN, marker="o")
    axis.axhline(trusted, color=GREY, linestyle="--", linewidth=1)
    said = "share trusted enough to teach"
    axis.text(numbers[0], trusted + 0.01, said, color=GREY, fontsize=8)
    axis.set(
        xticks=numbers,
        ylim=(0, 1.03),
        xlabel="teaching round",
        ylabel="questions (share)",
        title=f"Agreement with the teachers: {found[0]:.0%}, then {found[-1]:.0%}",
    )
