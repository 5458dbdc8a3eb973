"""Is a challenger worth its traffic? From held-out tasks that both models did, before anybody sees
a reply: the probability that it will be better live.

The tasks are of the validation side, accepted or not: were they only those that the collector
accepted, the champion would have done all of them well by choice of the tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from fledgling.auto_learning.settings import PredictionSection


@dataclass(frozen=True)
class Prediction:
    """``gain`` is the mean difference in score on ``tasks`` held-out tasks, with its standard
    error; ``probability`` that the challenger is better live.
    """

    gain: float
    error: float
    probability: float
    tasks: int
    worth_it: bool


@dataclass(frozen=True)
class Bin:
    """Predictions between two probabilities: what they said, and how often it came true."""

    said: float
    came_true: float
    count: int


def predict(champion: np.ndarray, challenger: np.ndarray, section: PredictionSection) -> Prediction:
    """Scores in [0, 1] of both models on the same tasks (N,).

    The difference of pairs is taken as normal, a pseudo-pair won and one lost keep the error away
    from zero, and ``live_spread`` is what held-out and live tasks are expected to differ by.
    """
    ours, theirs = np.asarray(challenger, dtype=float), np.asarray(champion, dtype=float)
    pairs = np.concatenate([ours - theirs, [1.0, -1.0]])
    gain = float(pairs.mean())
    error = float(np.hypot(pairs.std(ddof=1) / np.sqrt(len(pairs)), section.live_spread))
    probability = float(ndtr(gain / error))
    return Prediction(gain, error, probability, len(pairs) - 2, probability >= section.skip_below)


def reliability(
    said: Sequence[float], came_true: Sequence[bool], section: PredictionSection
) -> list[Bin]:
    """Predictions in equal-width bins; empty ones are left out."""
    probabilities, truths = np.asarray(said), np.asarray(came_true, dtype=float)
    place = np.minimum((probabilities * section.bins).astype(int), section.bins - 1)
    return [
        Bin(
            float(probabilities[place == number].mean()),
            float(truths[place == number].mean()),
            int((place == number).sum()),
        )
        for number in range(section.bins)
        if (place == number).any()
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error: the mean distance of what was said from what came true."""
    total = sum(one.count for one in bins)
    return sum(one.count * abs(one.said - one.came_true) for one in bins) / total


def rehearse(
    section: PredictionSection,
    *,
    candidates: int,
    tasks: int,
    generator: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """(probability said, whether it was better live) of simulated candidates, of whom half are no
    better: tasks of differing difficulty, and a live gain that differs from the held-out one.
    """
    said, better = np.zeros(candidates), np.zeros(candidates, dtype=bool)
    for number in range(candidates):
        gain = generator.normal(0.0, 0.06)
        live = gain + generator.normal(0.0, section.live_spread)
        ease = generator.beta(6.0, 2.0, tasks)
        champion = generator.random(tasks) < ease
        challenger = generator.random(tasks) < np.clip(ease + gain, 0.0, 1.0)
        said[number] = predict(champion, challenger, section).probability
        better[number] = live > 0.0
    return said, better
