"""Calibration by hand arithmetic."""

import numpy as np
import pytest

from fledgling.core.errors import DataError
from fledgling.teachers.calibration import (
    calibration_floor,
    coverage_accuracy,
    coverage_at,
    expected_calibration_error,
    reliability_bins,
)

CONFIDENCE = np.array([0.95, 0.95, 0.65, 0.65, 0.65])
CORRECT = np.array([1, 1, 1, 0, 0])


def test_ece_by_hand() -> None:
    # bin 0.9-1: |1 - .95| * 2/5; bin 0.6-0.7: |1/3 - .65| * 3/5
    assert expected_calibration_error(CONFIDENCE, CORRECT, bins=10) == pytest.approx(
        0.05 * 0.4 + (0.65 - 1 / 3) * 0.6
    )
    assert (
        expected_calibration_error(np.array([1.0]), np.array([1]), bins=10) == 0.0
    )  # the last bin holds 1.0


def test_bins_hold_everything_once() -> None:
    bins = reliability_bins(CONFIDENCE, CORRECT, bins=10)
    assert [part.count for part in bins] == [3, 2]
    assert [part.confidence for part in bins] == pytest.approx([0.65, 0.95])


def test_coverage_enters_ties_together() -> None:
    curve = coverage_accuracy(CONFIDENCE, CORRECT)
    assert [(point.coverage, point.accuracy) for point in curve] == [(0.4, 1.0), (1.0, 0.6)]
    assert coverage_at(CONFIDENCE, CORRECT, 0.9) == 0.4
    assert coverage_at(CONFIDENCE, CORRECT, 0.5) == 1.0
    assert coverage_at(np.array([0.9]), np.array([0]), 0.9) == 0.0


def test_a_perfect_confidence_shows_its_floor() -> None:
    random = np.random.default_rng(0)
    confidence = random.uniform(0.5, 1.0, 200)
    correct = random.random(200) < confidence
    floor = calibration_floor(confidence, bins=10, draws=200, generator=random)
    assert 0.01 < floor < 0.1
    assert expected_calibration_error(confidence, correct, bins=10) < 2.5 * floor


@pytest.mark.parametrize(
    ("confidence", "correct"),
    [
        (np.array([]), np.array([])),
        (np.array([0.5]), np.array([1, 0])),
        (np.array([1.2]), np.array([1])),
    ],
)
def test_misfits_are_refused(confidence: np.ndarray, correct: np.ndarray) -> None:
    with pytest.raises(DataError):
        expected_calibration_error(confidence, correct, bins=10)
