"""Means over seeds with intervals, and paired differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from fledgling.core.errors import DataError


@dataclass(frozen=True)
class Interval:
    """A mean and the interval it lies in with the stated confidence; with one value the interval is
    unknown (NaN).
    """

    mean: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        if self.count < 2:
            return f"{self.mean:.3f} (one seed)"
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Mean with Student's t interval.

    >>> str(mean_interval([1.0, 2.0, 3.0]))
    '2.000 [-0.484, 4.484]'
    """
    sample = _sample(values)
    mean = float(sample.mean())
    if len(sample) < 2:
        return Interval(mean, float("nan"), float("nan"), len(sample))
    half = float(
        stats.t.ppf(0.5 + confidence / 2, len(sample) - 1)
        * sample.std(ddof=1)
        / np.sqrt(len(sample))
    )
    return Interval(mean, mean - half, mean + half, len(sample))


def paired_difference(
    ours: Sequence[float], theirs: Sequence[float], confidence: float = 0.95
) -> Interval:
    """The mean of ours − theirs, seed by seed, with Student's t interval."""
    if len(ours) != len(theirs):
        raise DataError(
            f"{len(ours)} values cannot be paired with {len(theirs)}; give both the same seeds"
        )
    return mean_interval(_sample(ours) - _sample(theirs), confidence)


def bootstrap_interval(
    values: Sequence[float],
    *,
    generator: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = 2000,
) -> Interval:
    """Mean with a percentile bootstrap interval (Efron 1979), for values that are far from
    normal.
    """
    sample = _sample(values)
    drawn = sample[generator.integers(len(sample), size=(resamples, len(sample)))].mean(axis=1)
    low, high = np.quantile(drawn, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return Interval(float(sample.mean()), float(low), float(high), len(sample))


def _sample(values: Sequence[float]) -> np.ndarray:
    sample = np.asarray(values, dtype=np.float64)
    if sample.size == 0:
        raise DataError("there is no value to average; give at least one")
    if not np.isfinite(sample).all():
        raise DataError(
            f"values {list(values)} hold a number that is not finite; leave failed runs out first"
        )
    return sample
