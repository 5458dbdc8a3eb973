"""What the gate is held against: the documented rule, and a z-test that is looked at as it goes.

Both compare means as if they were looked at once. Looked at after every task they promote by luck.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from fledgling.auto_learning.settings import DocumentedSection


def promotes_by_rule(
    challenger: np.ndarray, completed: np.ndarray, quality: np.ndarray, section: DocumentedSection
) -> np.ndarray:
    """(..., T) whether the documented rule would promote after each task: enough tasks a variant,
    mean quality and completion up by more than the stated gains. ``quality`` is NaN where unrated.
    """
    rated = ~np.isnan(quality)
    ours = _means(completed, challenger), _means(quality, challenger & rated)
    theirs = _means(completed, ~challenger), _means(quality, ~challenger & rated)
    enough = np.minimum(_count(challenger), _count(~challenger)) >= section.tasks
    return (
        enough
        & (ours[0] - theirs[0] > section.completion_gain)
        & (ours[1] - theirs[1] > section.quality_gain)
    )


def promotes_by_z(
    challenger: np.ndarray, scores: np.ndarray, *, alpha: float, tasks: int
) -> np.ndarray:
    """(..., T) whether a one-sided z-test on the means says "better" at ``alpha`` after each task,
    from ``tasks`` a variant on.
    """
    few = np.minimum(_count(challenger), _count(~challenger)) < tasks
    variances = [
        (_means(scores**2, who) - _means(scores, who) ** 2) / np.maximum(_count(who), 1)
        for who in (challenger, ~challenger)
    ]
    error = np.sqrt(np.maximum(sum(variances), 1e-12))
    z = (_means(scores, challenger) - _means(scores, ~challenger)) / error
    return ~few & (z > -ndtri(alpha))


def _count(who: np.ndarray) -> np.ndarray:
    return np.cumsum(who, axis=-1)


def _means(values: np.ndarray, who: np.ndarray) -> np.ndarray:
    """Running mean of the values of those chosen; 0 before the first."""
    return np.cumsum(np.where(who, values, 0.0), axis=-1) / np.maximum(_count(who), 1)
