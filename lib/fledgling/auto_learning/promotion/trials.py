"""The gate on simulated tests whose truth is known: how often it errs, how many tasks it takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fledgling.auto_learning.promotion.betting import (
    Bets,
    Past,
    lay_bets,
    log_capital,
    log_capital_below,
    past_of,
)
from fledgling.auto_learning.promotion.documented import promotes_by_rule, promotes_by_z
from fledgling.auto_learning.scores import worth
from fledgling.auto_learning.settings import AutoLearningSection

NEVER = np.inf


@dataclass(frozen=True)
class World:
    """What is true: the champion's completion and quality, and what the challenger adds to each."""

    completion: float
    quality: float
    completion_gain: float = 0.0
    quality_gain: float = 0.0
    share: float = 0.5


@dataclass(frozen=True)
class Outcomes:
    """Simulated tasks of S tests, (S, T): who did each, whether it completed, its quality."""

    challenger: np.ndarray
    completed: np.ndarray
    quality: np.ndarray


@dataclass(frozen=True)
class Stops:
    """The task at which each test would first be decided, ``NEVER`` where it is not: (S,)."""

    promoted: np.ndarray
    rolled_back: np.ndarray
    by_rule: np.ndarray
    by_z: np.ndarray

    @property
    def gate_promotes(self) -> np.ndarray:
        """(S,) the task at which the gate promotes, unless it rolled back before."""
        return np.where(self.promoted < self.rolled_back, self.promoted, NEVER)

    @property
    def gate_rolls_back(self) -> np.ndarray:
        """(S,) the task at which the gate rolls back, unless it promoted before."""
        return np.where(self.rolled_back <= self.promoted, self.rolled_back, NEVER)


def run_trials(
    world: World, section: AutoLearningSection, *, tests: int, horizon: int, seed: int
) -> Iterator[Stops]:
    """Simulate ``tests`` tests of ``horizon`` tasks, looked at after every task, a batch at a
    time.
    """
    generator = np.random.default_rng(seed)
    for start in range(0, tests, section.trials.batch):
        size = min(section.trials.batch, tests - start)
        yield look_after_every_task(world, section, size, horizon, generator)


def look_after_every_task(
    world: World,
    section: AutoLearningSection,
    tests: int,
    horizon: int,
    generator: np.random.Generator,
) -> Stops:
    """The first crossing of each rule in ``tests`` simulated tests."""
    gate = section.gate
    past = _past(world, section, tests, generator)
    found = draw(world, section, (tests, horizon), generator)
    scores = worth(found.completed, found.quality, section.score, section.rules)
    shares = np.full(scores.shape, world.share)
    bets: Bets = lay_bets(scores, found.challenger, shares, past)
    few = np.minimum(found.challenger.cumsum(1), (~found.challenger).cumsum(1))
    enough = few >= gate.tasks_per_variant
    gained = np.maximum.accumulate(log_capital(bets, section.betting), axis=1)
    lost = log_capital_below(bets, section.betting)
    return Stops(
        promoted=_first(enough & (gained >= -np.log(gate.alpha))),
        rolled_back=_first(lost >= -np.log(gate.alpha_loss)),
        by_rule=_first(
            promotes_by_rule(found.challenger, found.completed, found.quality, section.documented)
        ),
        by_z=_first(
            promotes_by_z(
                found.challenger, scores, alpha=gate.alpha, tasks=section.documented.tasks
            )
        ),
    )


def draw(
    world: World,
    section: AutoLearningSection,
    shape: tuple[int, int],
    generator: np.random.Generator,
) -> Outcomes:
    """Tasks as users leave them: done or not, and rated in half points."""
    challenger = generator.random(shape) < world.share
    completion = world.completion + world.completion_gain * challenger
    completed = (generator.random(shape) < completion).astype(float)
    mean = world.quality + world.quality_gain * challenger
    rated = mean + section.trials.quality_spread * generator.standard_normal(shape)
    low, high = section.rules.lowest_quality, section.rules.highest_quality
    return Outcomes(challenger, completed, np.clip(np.round(rated * 2.0) / 2.0, low, high))


def _past(
    world: World, section: AutoLearningSection, tests: int, generator: np.random.Generator
) -> Past:
    """The champion's own tasks before the test."""
    betting = section.betting
    if betting.history_tasks == 0:
        return Past(betting.past_mean, betting.past_variance, betting.past_tasks)
    before = World(world.completion, world.quality, share=0.0)
    found = draw(before, section, (tests, betting.history_tasks), generator)
    scores = worth(found.completed, found.quality, section.score, section.rules)
    return past_of(scores, betting)


def _first(reached: np.ndarray) -> np.ndarray:
    """(S,) number of the first task at which it holds, from 1, or ``NEVER``."""
    return np.where(reached.any(1), reached.argmax(1) + 1.0, NEVER)
