"""Which tasks every update of a training sees, and which rows: the schedule of a multi-task run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fledgling.core.errors import DataError


@dataclass(frozen=True)
class Epoch:
    """One epoch: the phase it belongs to, and the tasks that each of its updates sees."""

    phase: int
    updates: tuple[tuple[str, ...], ...]

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks trained in this epoch."""
        return tuple(dict.fromkeys(task for update in self.updates for task in update))


def plan(strategy: str, tasks: Sequence[str], *, epochs: int, updates: int) -> list[Epoch]:
    """The epochs of a strategy. Whatever the strategy, there are ``epochs · updates · len(tasks)``
    updates.

    ``alternating``: A B A B …; ``mixed``: every update sees all tasks; ``sequential``: all of A,
    then all of B; ``curriculum``: each task by itself for a third of its budget, then all in turn.

    >>> [epoch.tasks for epoch in plan("sequential", ["a", "b"], epochs=1, updates=2)]
    [('a',), ('b',)]
    """
    tasks = tuple(tasks)
    if not tasks:
        raise DataError("there is no task to train; give at least one")
    if strategy == "alternating":
        return [Epoch(0, tuple((task,) for task in tasks) * updates) for _ in range(epochs)]
    if strategy == "mixed":
        return [Epoch(0, (tasks,) * (updates * len(tasks))) for _ in range(epochs)]
    if strategy == "sequential":
        return _alone(tasks, epochs, updates)
    if strategy == "curriculum":
        # A third suffices to know the task, and leaves the larger part for knowing both.
        first = max(1, epochs // 3) if len(tasks) > 1 and epochs > 1 else 0
        together = [
            Epoch(len(tasks) if first else 0, tuple((task,) for task in tasks) * updates)
            for _ in range(epochs - first)
        ]
        return _alone(tasks, first, updates) + together
    raise DataError(
        f"strategy {strategy!r} is not known; there are alternating, mixed, curriculum, sequential"
    )


def _alone(tasks: Sequence[str], epochs: int, updates: int) -> list[Epoch]:
    """Every task by itself for ``epochs`` epochs of ``updates`` updates, one phase each."""
    return [
        Epoch(phase, ((task,),) * updates)
        for phase, task in enumerate(tasks)
        for _ in range(epochs)
    ]


def repeats(skills: Sequence[str], balance: float) -> np.ndarray:
    """(N,) how often each exercise comes in a pass: with ``balance`` 1 all skills come equally
    often, with 0 all exercises.

    >>> repeats(["add", "add", "add", "count"], 1.0).tolist()
    [1, 1, 1, 3]
    """
    counts = Counter(skills)
    most = max(counts.values())
    return np.array([round((most / counts[skill]) ** balance) for skill in skills])


def row_batches(
    sizes: np.ndarray,
    batch: int,
    generator: np.random.Generator,
    *,
    times: np.ndarray | int = 1,
    window: int = 8,
) -> Iterator[np.ndarray]:
    """Endless batches of row numbers, every row ``times`` a pass, rows of similar size together.

    ``sizes`` (N,): length of each row; within ``window`` batches rows are sorted by it, so that
    little is padding. With fewer rows than ``batch`` a batch is all rows.
    """
    if len(sizes) == 0:
        raise DataError("there are no rows to draw batches from; give at least one")
    rows = np.repeat(np.arange(len(sizes)), times)
    batch = min(batch, len(rows))
    while True:
        order = generator.permutation(rows)
        pieces = []
        for start in range(0, len(order), batch * window):
            some = order[start : start + batch * window]
            some = some[np.argsort(sizes[some], kind="stable")]
            pieces += [some[at : at + batch] for at in range(0, len(some) - batch + 1, batch)]
        # Sorted windows come in any order, or every pass would end with the longest rows.
        for piece in generator.permutation(len(pieces)):
            yield pieces[piece]
