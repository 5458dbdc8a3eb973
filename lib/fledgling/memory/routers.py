"""What the STDP router is held against. All see the same queries and, but for the oracle and the
best single model, only the reward of the model that they asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from fledgling.memory.routing import SpikingRouter
from fledgling.memory.settings import RouterSection


class Router(Protocol):
    """Chooses a model for a query, then hears how good its reply was."""

    def choose(self, query: np.ndarray) -> str: ...

    def reward(self, value: float) -> None: ...


class RandomRouter:
    """Any model, whatever is asked."""

    def __init__(self, models: list[str], rng: np.random.Generator) -> None:
        self.models, self.rng = models, rng

    def choose(self, query: np.ndarray) -> str:
        return self.models[int(self.rng.integers(len(self.models)))]

    def reward(self, value: float) -> None:
        """Learns nothing."""


class NeighbourRouter:
    """The model with the best mean reward among the nearest of the last ``window`` queries; one
    that was not asked near here is tried first.
    """

    def __init__(self, models: list[str], section: RouterSection, rng: np.random.Generator) -> None:
        self.models, self.section, self.rng = models, section, rng
        self._queries: list[np.ndarray] = []
        self._asked: list[int] = []
        self._rewards: list[float] = []

    def choose(self, query: np.ndarray) -> str:
        self._queries.append(query)
        self._asked.append(self._best(query))
        return self.models[self._asked[-1]]

    def _best(self, query: np.ndarray) -> int:
        section = self.section
        if not self._rewards or self.rng.random() < section.explore["knn"]:
            return int(self.rng.integers(len(self.models)))
        past = slice(-section.window - 1, -1)
        queries, rewards = np.array(self._queries[past]), np.array(self._rewards[-section.window :])
        asked = np.array(self._asked[-section.window :])
        near = np.argsort(-(queries @ query), kind="stable")
        means = []
        for model in range(len(self.models)):
            mine = [place for place in near if asked[place] == model][: section.neighbours]
            # one neutral reply beforehand, so that a single failure does not bury a model
            means.append((0.5 + rewards[mine].sum()) / (1 + len(mine)))
        return int(np.argmax(means))

    def reward(self, value: float) -> None:
        self._rewards.append(value)


class LogisticRouter:
    """One online logistic regression a model on the query: the likeliest to succeed is asked."""

    def __init__(
        self, models: list[str], width: int, section: RouterSection, rng: np.random.Generator
    ) -> None:
        self.models, self.section, self.rng = models, section, rng
        self.weights = np.zeros((len(models), width + 1))
        self._chosen, self._query = 0, np.zeros(width + 1)

    def choose(self, query: np.ndarray) -> str:
        self._query = np.append(query, 1.0)
        self._chosen = int(np.argmax(self.weights @ self._query))
        if self.rng.random() < self.section.explore["logistic"]:
            self._chosen = int(self.rng.integers(len(self.models)))
        return self.models[self._chosen]

    def reward(self, value: float) -> None:
        chance = 1.0 / (1.0 + np.exp(-self.weights[self._chosen] @ self._query))
        self.weights[self._chosen] += self.section.logistic_lr * (value - chance) * self._query


class Restarting:
    """A router that starts anew when the reward has fallen for good: the one-sided test of Page
    (1954) on the rewards, against their mean since the last start.
    """

    def __init__(self, fresh: Callable[[], Router], section: RouterSection) -> None:
        self.fresh, self.section, self.restarts = fresh, section, 0
        self._start()

    def _start(self) -> None:
        self.router = self.fresh()
        self._count, self._mean, self._fallen = 0, 0.0, 0.0

    def choose(self, query: np.ndarray) -> str:
        return self.router.choose(query)

    def reward(self, value: float) -> None:
        self.router.reward(value)
        self._count += 1
        self._mean += (value - self._mean) / self._count
        # rewards before anything is learned are low: only a fall from a learned mean counts
        self._fallen = max(0.0, self._fallen + self._mean - value - self.section.tolerated)
        if self._fallen > self.section.alarm:
            self._start()
            self.restarts += 1


def new_router(
    name: str, models: list[str], width: int, section: RouterSection, rng: np.random.Generator
) -> Router:
    """A router of any kind, ``stdp``, ``knn``, ``logistic`` or ``random``, that starts anew when
    the models have changed.
    """
    return Restarting(lambda: _fresh(name, models, width, section, rng), section)


def _fresh(
    name: str, models: list[str], width: int, section: RouterSection, rng: np.random.Generator
) -> Router:
    if name == "stdp":
        return SpikingRouter(models, width, section, rng)
    if name == "knn":
        return NeighbourRouter(models, section, rng)
    if name == "logistic":
        return LogisticRouter(models, width, section, rng)
    return RandomRouter(models, rng)
