"""Samplers follow the shares asked for, repeat under a seed, and refuse what they cannot draw from."""

from collections import Counter
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fledgling.core.errors import DataError
from fledgling.data.mixing import alternating, batches, mixed, proportional


def generator(seed=0):
    return np.random.default_rng(seed)


def shares(sampler, count=20_000):
    counts = Counter(islice(sampler, count))
    return {task: number / count for task, number in counts.items()}


def test_alternating_goes_round():
    assert list(islice(alternating(["a", "b", "c"]), 7)) == ["a", "b", "c", "a", "b", "c", "a"]


def test_mixed_is_uniform_and_seeded():
    assert shares(mixed(["a", "b"], generator()))["a"] == pytest.approx(0.5, abs=0.02)
    first = list(islice(mixed(["a", "b"], generator(1)), 50))
    assert first == list(islice(mixed(["a", "b"], generator(1)), 50))
    assert first != list(islice(mixed(["a", "b"], generator(2)), 50))


def test_proportional_follows_the_sizes():
    assert shares(proportional({"a": 300, "b": 100}, generator()))["a"] == pytest.approx(0.75, abs=0.02)


def test_temperature_flattens_by_the_power_of_its_inverse():
    flattened = shares(proportional({"a": 900, "b": 100}, generator(), temperature=2.0))
    assert flattened["a"] == pytest.approx(30 / 40, abs=0.02)
    assert shares(proportional({"a": 900, "b": 1}, generator(), temperature=1e9))["a"] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("sizes", "temperature", "told"),
    [
        ({}, 1.0, "no tasks"),
        ({"a": 0}, 1.0, "'a' has size 0"),
        ({"a": -1}, 1.0, "above 0"),
        ({"a": float("inf")}, 1.0, "finite"),
        ({"a": float("nan")}, 1.0, "finite"),
        ({"a": 1}, 0.0, "temperature is 0.0"),
    ],
)
def test_proportional_refuses_at_once(sizes, temperature, told):
    with pytest.raises(DataError, match=told):
        proportional(sizes, generator(), temperature=temperature)


def test_no_tasks_and_no_items_are_refused_before_the_first_draw():
    with pytest.raises(DataError, match="no tasks"):
        alternating([])
    with pytest.raises(DataError, match="no tasks"):
        mixed([], generator())
    with pytest.raises(DataError, match="no items"):
        batches([], 4, generator())
    with pytest.raises(DataError, match="batch size is 0"):
        batches([1], 0, generator())


@given(count=st.integers(1, 12), size=st.integers(1, 30), seed=st.integers(0, 99))
def test_every_pass_shows_each_item_once(count, size, seed):
    items = list(range(count))
    drawn = [item for batch in islice(batches(items, size, generator(seed)), 6) for item in batch]
    assert len(drawn) == 6 * size
    for start in range(0, len(drawn) - count + 1, count):
        assert sorted(drawn[start : start + count]) == items


def test_batches_repeat_under_a_seed_and_shuffle():
    items = list(range(50))
    first = next(batches(items, 50, generator(5)))
    assert first == next(batches(items, 50, generator(5)))
    assert first != items
