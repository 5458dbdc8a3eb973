"""Schedules: equal budgets whatever the strategy; every row once a pass."""

from itertools import islice

import numpy as np
import pytest

from fledgling.core.errors import DataError
from fledgling.tasks.schedule import plan, repeats, row_batches


@pytest.mark.parametrize("strategy", ["alternating", "mixed", "sequential", "curriculum"])
@pytest.mark.parametrize("tasks", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_every_strategy_has_the_same_number_of_updates(strategy: str, tasks: list[str]) -> None:
    epochs = plan(strategy, tasks, epochs=6, updates=5)
    updates = [update for epoch in epochs for update in epoch.updates]
    assert len(updates) == 6 * 5 * len(tasks)
    share = {task: sum((task in update) / len(update) for update in updates) for task in tasks}
    assert len({round(value, 6) for value in share.values()}) == 1


def test_orders() -> None:
    assert plan("alternating", "ab", epochs=1, updates=2)[0].updates == (
        ("a",),
        ("b",),
        ("a",),
        ("b",),
    )
    assert plan("mixed", "ab", epochs=1, updates=1)[0].updates == (("a", "b"), ("a", "b"))
    assert [
        (epoch.phase, epoch.tasks) for epoch in plan("curriculum", "ab", epochs=3, updates=1)
    ] == [(0, ("a",)), (1, ("b",)), (2, ("a", "b")), (2, ("a", "b"))]


def test_unknown_strategy_and_no_task_are_refused() -> None:
    with pytest.raises(DataError, match="'random' is not known"):
        plan("random", "ab", epochs=1, updates=1)
    with pytest.raises(DataError, match="no task"):
        plan("mixed", [], epochs=1, updates=1)


def test_batches_are_full_and_no_row_comes_twice_in_a_pass() -> None:
    sizes = np.arange(50) % 7
    batches = list(islice(row_batches(sizes, 10, np.random.default_rng(0)), 5))
    assert sorted(np.concatenate(batches).tolist()) == list(range(50))
    assert all(len(batch) == 10 for batch in batches)


def test_rows_come_as_often_as_asked() -> None:
    batches = row_batches(np.ones(3), 2, np.random.default_rng(0), times=np.array([1, 2, 3]))
    rows = np.concatenate(list(islice(batches, 3)))
    assert sorted(rows.tolist()) == [0, 1, 1, 2, 2, 2]


def test_few_exercises_of_a_skill_come_oftener() -> None:
    skills = ["add"] * 8 + ["count"] * 2
    assert repeats(skills, 1.0).tolist() == [1] * 8 + [4] * 2
    assert repeats(skills, 0.5).tolist() == [1] * 8 + [2] * 2
    assert repeats(skills, 0.0).tolist() == [1] * 10


def test_rows_of_like_size_come_together() -> None:
    sizes = np.random.default_rng(1).integers(5, 40, size=800)
    spread = [
        np.ptp(sizes[batch])
        for batch in islice(row_batches(sizes, 20, np.random.default_rng(0)), 40)
    ]
    assert np.mean(spread) < 8


def test_few_rows_make_one_batch() -> None:
    assert sorted(next(row_batches(np.ones(3), 10, np.random.default_rng(0))).tolist()) == [0, 1, 2]
    with pytest.raises(DataError):
        next(row_batches(np.ones(0), 10, np.random.default_rng(0)))
