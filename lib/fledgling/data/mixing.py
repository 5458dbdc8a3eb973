"""Samplers: in which order tasks take their turn, and endless shuffled batches of one task's items."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from typing import TypeVar

import numpy as np

from fledgling.core.errors import DataError

Item = TypeVar("Item")


def alternating(tasks: Sequence[str]) -> Iterator[str]:
    """The tasks one after the other, for ever.

    >>> from itertools import islice
    >>> list(islice(alternating(["reading", "maths"]), 3))
    ['reading', 'maths', 'reading']
    """
    _need_tasks(tasks)
    return cycle(tuple(tasks))


def mixed(tasks: Sequence[str], generator: np.random.Generator) -> Iterator[str]:
    """A task drawn uniformly at every step, for ever."""
    return proportional(dict.fromkeys(tasks, 1), generator)


def proportional(
    sizes: Mapping[str, float], generator: np.random.Generator, *, temperature: float = 1.0
) -> Iterator[str]:
    """A task drawn at every step with probability ∝ size^(1/temperature), for ever.

    ``temperature`` 1 follows the sizes; towards infinity every task becomes equally likely (T5, Raffel 2020, 3.5.2).
    """
    _need_tasks(sizes)
    for task, size in sizes.items():
        if not (math.isfinite(size) and size > 0):
            raise DataError(f"task {task!r} has size {size}; every size must be a finite number above 0")
    if not temperature > 0:
        raise DataError(f"temperature is {temperature}; it must be above 0 (1 follows the sizes)")
    tasks = tuple(sizes)
    logs = np.log(np.fromiter(sizes.values(), dtype=np.float64)) / temperature
    weights = np.exp(logs - logs.max())
    return _draw(tasks, weights / weights.sum(), generator)


def batches(items: Sequence[Item], size: int, generator: np.random.Generator) -> Iterator[list[Item]]:
    """Endless batches of ``size`` items: each pass shows every item once in a new order, running on over its end."""
    if not items:
        raise DataError("there are no items to draw batches from; give at least one")
    if size < 1:
        raise DataError(f"batch size is {size}; it must be at least 1")
    return _draw_batches(items, size, generator)


def _need_tasks(tasks: Sequence[str] | Mapping[str, float]) -> None:
    if not tasks:
        raise DataError("there are no tasks to draw from; name at least one")


def _draw(tasks: tuple[str, ...], weights: np.ndarray, generator: np.random.Generator) -> Iterator[str]:
    while True:
        yield tasks[generator.choice(len(tasks), p=weights)]


def _draw_batches(items: Sequence[Item], size: int, generator: np.random.Generator) -> Iterator[list[Item]]:
    waiting: list[int] = []
    while True:
        while len(waiting) < size:
            waiting.extend(generator.permutation(len(items)).tolist())
        batch, waiting = waiting[:size], waiting[size:]
        yield [items[index] for index in batch]
