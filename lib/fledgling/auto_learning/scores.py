"""What a task was worth, as one number in [0, 1]."""

from __future__ import annotations

import numpy as np

from fledgling.auto_learning.settings import RulesSection, ScoreSection


def worth(
    completed: np.ndarray, quality: np.ndarray, section: ScoreSection, rules: RulesSection
) -> np.ndarray:
    """0 for a failed task; a completed one earns ``completion`` and the rest by its quality.

    ``quality`` is on the rating scale of ``rules``; NaN, for unrated, counts as
    ``unscored_quality``.
    """
    low, high = rules.lowest_quality, rules.highest_quality
    rated = np.where(np.isnan(quality), section.unscored_quality, quality)
    good = np.clip((rated - low) / (high - low), 0.0, 1.0)
    return completed * (section.completion + (1.0 - section.completion) * good)
