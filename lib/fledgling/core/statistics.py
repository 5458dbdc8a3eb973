"""Intervals: of a mean over seeds, of a share of cases, and of differences between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fledgling.core.errors import DataError
from fledgling.core.records import Interval


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Mean with Student's t interval.

    >>> str(mean_interval([1.0, 2.0, 3.0]))
    '2.000 [-0.484, 4.484]'
    """
    from scipy import stats  # here: it takes a second to import

    sample = np.asarray(values, dtype=np.float64)
    if sample.size == 0:
        raise DataError("there is no value to average; give at least one")
    if not np.isfinite(sample).all():
        raise DataError(
            f"values {list(values)} hold a number that is not finite; leave failed runs out first"
        )
    mean, count = float(sample.mean()), len(sample)
    if count < 2:
        return Interval(mean, float("nan"), float("nan"), count)
    error = sample.std(ddof=1) / np.sqrt(count)
    half = float(stats.t.ppf(0.5 + confidence / 2, count - 1) * error)
    return Interval(mean, mean - half, mean + half, count)


def paired_difference(
    ours: Sequence[float], theirs: Sequence[float], confidence: float = 0.95
) -> Interval:
    """The mean of ours − theirs, seed by seed, with Student's t interval."""
    if len(ours) != len(theirs):
        raise DataError(
            f"{len(ours)} values cannot be paired with {len(theirs)}; give both the same seeds"
        )
    return mean_interval(np.subtract(ours, theirs, dtype=np.float64), confidence)


def share_interval(hits: int, count: int, confidence: float = 0.95) -> Interval:
    """The share ``hits / count`` with Wilson's score interval, which stays inside 0..1 and holds
    for few cases (Wilson 1927).

    >>> str(share_interval(19, 20))
    '0.950 [0.764, 0.991]'
    """
    from scipy import stats

    if not 0 <= hits <= count or count == 0:
        raise DataError(f"{hits} of {count} is no share; give 0 <= hits <= count, and count >= 1")
    low, high = stats.binomtest(hits, count).proportion_ci(confidence, method="wilson")
    return Interval(hits / count, float(low), float(high), count)


def difference(ours: Interval, theirs: Interval) -> Interval:
    """ours − theirs of two independent measurements, from their intervals alone (Newcombe 1998,
    method 10; Zou and Donner 2008). Cautious where both were measured on the same cases.

    >>> str(difference(share_interval(19, 20), share_interval(12, 20)))
    '0.350 [0.090, 0.567]'
    """
    mean = ours.mean - theirs.mean
    low = mean - float(np.hypot(ours.mean - ours.low, theirs.high - theirs.mean))
    high = mean + float(np.hypot(ours.high - ours.mean, theirs.mean - theirs.low))
    return Interval(mean, low, high, min(ours.count, theirs.count))
