"""Intervals against tables and by coverage."""

import math

import numpy as np
import pytest

from fledgling.core.errors import DataError
from fledgling.core.statistics import difference, mean_interval, paired_difference, share_interval


def test_interval_by_the_table() -> None:
    interval = mean_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    half = 2.7764451 * math.sqrt(2.5 / 5)
    assert (interval.mean, interval.count) == (3.0, 5)
    assert (interval.low, interval.high) == (pytest.approx(3 - half), pytest.approx(3 + half))


def test_one_value_has_no_interval() -> None:
    interval = mean_interval([0.5])
    assert interval.mean == 0.5 and math.isnan(interval.low) and "one seed" in str(interval)


def test_pairing_removes_what_seeds_share() -> None:
    ours, theirs = [0.9, 0.5, 0.7], [0.8, 0.4, 0.6]
    assert paired_difference(ours, theirs).low == pytest.approx(0.1)
    with pytest.raises(DataError, match="3 values cannot be paired with 1"):
        paired_difference(ours, [0.1])


def test_the_interval_covers_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    covered = sum(
        one.low <= 1.0 <= one.high
        for one in (mean_interval(generator.normal(1.0, 2.0, 5)) for _ in range(400))
    )
    assert 0.91 < covered / 400 < 0.98


def test_shares_by_published_intervals() -> None:
    share = share_interval(15, 148)  # Newcombe 1998, "Two-sided confidence intervals", table I
    assert (share.low, share.high) == (
        pytest.approx(0.0624, abs=1e-4),
        pytest.approx(0.1605, abs=1e-4),
    )
    assert share_interval(0, 20).low == 0.0 and share_interval(20, 20).high == 1.0
    with pytest.raises(DataError, match="3 of 2 is no share"):
        share_interval(3, 2)


def test_a_difference_of_shares_by_a_published_interval() -> None:
    between = difference(share_interval(56, 70), share_interval(48, 80))  # Newcombe 1998, method 10
    assert between.mean == pytest.approx(0.2)
    assert (between.low, between.high) == (
        pytest.approx(0.0524, abs=1e-4),
        pytest.approx(0.3339, abs=1e-4),
    )


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [float("inf")]])
def test_nothing_and_not_finite_are_refused(values: list[float]) -> None:
    with pytest.raises(DataError):
        mean_interval(values)
