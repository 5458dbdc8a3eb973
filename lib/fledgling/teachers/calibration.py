"""Is a confidence worth its number? Calibration error, reliability and the price of abstaining."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fledgling.core.errors import DataError


@dataclass(frozen=True)
class ReliabilityBin:
    """Answers whose confidence fell between ``low`` and ``high``: how sure they were, how often
    right.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class CoveragePoint:
    """Answering only above ``threshold``: the share answered and the share of those that is
    right.
    """

    threshold: float
    coverage: float
    accuracy: float


def reliability_bins(
    confidence: np.ndarray, correct: np.ndarray, *, bins: int = 10
) -> list[ReliabilityBin]:
    """The non-empty ones of ``bins`` equal-width bins over 0..1. Both arrays are (N,);
    ``correct`` holds 0 or 1.

    >>> bins = reliability_bins(np.array([.9, .95, .3]), np.array([1, 0, 0]), bins=2)
    >>> [(b.count, b.accuracy) for b in bins]
    [(1, 0.0), (2, 0.5)]
    """
    confidence, correct = _checked(confidence, correct)
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    found = []
    for index in range(bins):
        chosen = place == index
        if chosen.any():
            found.append(
                ReliabilityBin(
                    index / bins,
                    (index + 1) / bins,
                    int(chosen.sum()),
                    float(confidence[chosen].mean()),
                    float(correct[chosen].mean()),
                )
            )
    return found


def expected_calibration_error(
    confidence: np.ndarray, correct: np.ndarray, *, bins: int = 10
) -> float:
    """ECE (Naeini et al., 2015): mean over bins of |accuracy - confidence|, weighted by count. 0 is
    perfect.

    >>> round(expected_calibration_error(np.array([.8, .8, .8, .8]), np.array([1, 1, 1, 0])), 3)
    0.05
    """
    filled = reliability_bins(confidence, correct, bins=bins)
    total = sum(part.count for part in filled)
    return sum(part.count * abs(part.accuracy - part.confidence) for part in filled) / total


def calibration_floor(
    confidence: np.ndarray, *, bins: int = 10, draws: int = 200, seed: int = 0
) -> float:
    """The ECE that a *perfect* confidence would show on so few answers, by simulation: ECE is
    biased upwards.
    """
    confidence = np.asarray(confidence, dtype=float)
    rng = np.random.default_rng(seed)
    return float(
        np.mean(
            [
                expected_calibration_error(
                    confidence, rng.random(len(confidence)) < confidence, bins=bins
                )
                for _ in range(draws)
            ]
        )
    )


def brier_score(confidence: np.ndarray, correct: np.ndarray) -> float:
    """Mean squared distance between confidence and outcome; 0 is perfect, 0.25 is a coin."""
    confidence, correct = _checked(confidence, correct)
    return float(np.mean((confidence - correct) ** 2))


def coverage_accuracy(confidence: np.ndarray, correct: np.ndarray) -> list[CoveragePoint]:
    """The curve from the surest answer alone to all of them; answers of equal confidence enter
    together.
    """
    confidence, correct = _checked(confidence, correct)
    order = np.argsort(-confidence, kind="stable")
    right = np.cumsum(correct[order])
    points = []
    for place, index in enumerate(order):
        last_of_its_value = (
            place + 1 == len(order) or confidence[order[place + 1]] < confidence[index]
        )
        if last_of_its_value:
            points.append(
                CoveragePoint(
                    float(confidence[index]),
                    (place + 1) / len(order),
                    float(right[place] / (place + 1)),
                )
            )
    return points


def coverage_at(confidence: np.ndarray, correct: np.ndarray, accuracy: float) -> float:
    """The largest share of answers that can be given with at least ``accuracy`` of them right; 0
    when none.
    """
    return max(
        (
            point.coverage
            for point in coverage_accuracy(confidence, correct)
            if point.accuracy >= accuracy
        ),
        default=0.0,
    )


def _checked(confidence: np.ndarray, correct: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    confidence, correct = np.asarray(confidence, dtype=float), np.asarray(correct, dtype=float)
    if confidence.ndim != 1 or confidence.shape != correct.shape or not len(confidence):
        raise DataError(
            f"confidence {confidence.shape} and correct {correct.shape} must be of one length, not"
            " empty"
        )
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise DataError("confidence must lie in 0..1; give probabilities, not log-odds")
    return confidence, correct
