"""Is a confidence worth its number? Calibration error, reliability and the price of abstaining."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fledgling.core.errors import DataError


@dataclass(frozen=True)
class ReliabilityBin:
    """Answers of about one confidence: how many, how sure they were, how often right."""

    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class CoveragePoint:
    """Answering only from ``threshold`` on: the share answered and the share of those that is
    right.
    """

    threshold: float
    coverage: float
    accuracy: float


def reliability_bins(
    confidence: np.ndarray, correct: np.ndarray, *, bins: int
) -> list[ReliabilityBin]:
    """The non-empty ones of ``bins`` equal-width bins over 0..1. Both arrays are (N,);
    ``correct`` holds 0 or 1.

    >>> bins = reliability_bins(np.array([.9, .95, .3]), np.array([1, 0, 0]), bins=2)
    >>> [(b.count, b.accuracy) for b in bins]
    [(1, 0.0), (2, 0.5)]
    """
    confidence, correct = _checked(confidence, correct)
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    masks = [place == index for index in np.unique(place)]
    return [
        ReliabilityBin(int(mask.sum()), float(confidence[mask].mean()), float(correct[mask].mean()))
        for mask in masks
    ]


def expected_calibration_error(confidence: np.ndarray, correct: np.ndarray, *, bins: int) -> float:
    """ECE (Naeini et al., 2015): mean over bins of |accuracy - confidence|, weighted by count. 0 is
    perfect.

    >>> round(expected_calibration_error(np.full(4, .8), np.array([1, 1, 1, 0]), bins=10), 3)
    0.05
    """
    filled = reliability_bins(confidence, correct, bins=bins)
    total = sum(part.count for part in filled)
    return sum(part.count * abs(part.accuracy - part.confidence) for part in filled) / total


def calibration_floor(
    confidence: np.ndarray, *, bins: int, draws: int, generator: np.random.Generator
) -> float:
    """The ECE that a *perfect* confidence would show on so few answers, by simulation: ECE is
    biased upwards.
    """
    chance = np.asarray(confidence, dtype=float)
    drawn = generator.random((draws, len(chance))) < chance
    return float(np.mean([expected_calibration_error(chance, right, bins=bins) for right in drawn]))


def coverage_accuracy(confidence: np.ndarray, correct: np.ndarray) -> list[CoveragePoint]:
    """The curve from the surest answer alone to all of them; answers of equal confidence enter
    together.
    """
    confidence, correct = _checked(confidence, correct)
    points = []
    for threshold in np.unique(confidence)[::-1]:
        given = confidence >= threshold
        right = float(correct[given].mean())
        points.append(CoveragePoint(float(threshold), float(given.mean()), right))
    return points


def coverage_at(confidence: np.ndarray, correct: np.ndarray, accuracy: float) -> float:
    """The largest share of answers that can be given with at least ``accuracy`` of them right; 0
    when none.
    """
    curve = coverage_accuracy(confidence, correct)
    return max((point.coverage for point in curve if point.accuracy >= accuracy), default=0.0)


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
