"""Figures say what they show, label their axes with units, and stand on plain numbers."""

import io

import numpy as np

from fledgling.teachers import figures as figures
from fledgling.teachers.calibration import coverage_accuracy, reliability_bins

ROW = {
    "pool": "agree",
    "agreement": 1.0,
    "quality": 0.9,
    "confidence": 0.8,
    "accuracy": 1.0,
    "flagged": 0.0,
}


def draw(figure: object) -> list[str]:
    """The titles of a figure that really renders."""
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    labelled = [
        axis for axis in figure.axes if axis.get_title() or axis.get_ylabel() or axis.get_xlabel()
    ]
    assert labelled
    return [axis.get_title() for axis in figure.axes if axis.get_title()]


def test_every_figure_has_a_title() -> None:
    confidence, correct = np.array([0.9, 0.9, 0.6, 0.7]), np.array([1, 1, 0, 1])
    sizes = [
        {"pool": pool, "size": size, "accuracy": 0.7, "confidence": 0.6, "latency_ms": 20.0}
        for pool in ("independent", "correlated")
        for size in (1, 2, 3)
    ]
    rounds = [
        {"step": step, "tasks": {"places": 0.5}, "error": 0.5, "agreement": 0.5, "trusted": 0.9}
        for step in (0, 1)
    ]
    bins, curve = (
        reliability_bins(confidence, correct, bins=10),
        coverage_accuracy(confidence, correct),
    )
    drawn = [
        figures.plot_decisions([ROW, ROW | {"pool": "split"}], agreement=0.7, consensus=0.6),
        figures.plot_pool_size(sizes),
        figures.plot_matrix(np.eye(2), ["a", "b"], title="Agreement", label="share"),
        figures.plot_against_baselines({"trust": 0.9, "majority": 0.5}, title="Trust wins"),
        figures.plot_calibration(bins, curve, ece=0.1),
        figures.plot_weights({"a": 1.0, "b": -0.5}),
        figures.plot_rounds(rounds),
    ]
    assert all(draw(figure) for figure in drawn)


def test_the_coverage_title_states_what_the_curve_shows() -> None:
    confidence, correct = np.array([0.9, 0.8, 0.7, 0.6]), np.array([1, 1, 0, 0])
    figure = figures.plot_calibration(
        reliability_bins(confidence, correct, bins=10),
        coverage_accuracy(confidence, correct),
        ece=0.2,
    )
    assert draw(figure) == [
        "Confidence against truth, ECE 0.200",
        "50% can be answered at 90% right",
    ]


def test_weights_below_zero_have_another_colour() -> None:
    bars = figures.plot_weights({"a": 1.0, "b": -0.5}).axes[0].patches
    assert bars[0].get_facecolor() != bars[1].get_facecolor()
