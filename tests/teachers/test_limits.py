"""The rate budget is never exceeded, across restarts too; the breaker opens, tries once, closes."""

import asyncio
import bisect
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fledgling.teachers.limits import CircuitBreaker, RateBudget, Spending


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.floats(0.0, 20.0), min_size=1, max_size=120), st.integers(1, 5))
def test_no_window_holds_more_than_the_limit(gaps: list[float], limit: int) -> None:
    clock = Clock()
    budget = RateBudget(limit, window_s=60.0, clock=clock)
    taken = []
    for gap in gaps:
        clock.now += gap
        if budget.try_take() == 0.0:
            taken.append(clock.now)
    for place, at in enumerate(taken):
        assert bisect.bisect_left(taken, at + 60.0) - place <= limit


def test_the_wait_told_is_enough_and_not_much_more() -> None:
    clock = Clock()
    budget = RateBudget(2, window_s=60.0, margin_s=1.0, clock=clock)
    assert budget.try_take() == 0.0
    clock.now += 10
    assert budget.try_take() == 0.0
    wait = budget.try_take()
    assert wait == pytest.approx(51.0)
    clock.now += wait - 0.5
    assert budget.try_take() > 0
    clock.now += 0.5
    assert budget.try_take() == 0.0


def test_a_restart_remembers_what_was_sent(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "rates" / "one.json"
    first = RateBudget(3, path=path, clock=clock)
    assert [first.try_take() for _ in range(3)] == [0.0] * 3
    second = RateBudget(3, path=path, clock=clock)
    assert second.try_take() > 59
    clock.now += 61
    assert second.try_take() == 0.0
    assert first.try_take() == 0.0  # both count in one record
    assert first.try_take() == 0.0
    assert second.try_take() > 59


def test_a_broken_record_costs_one_window_not_the_budget(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "one.json"
    path.write_text("[1, ", encoding="utf-8")
    budget = RateBudget(2, path=path, clock=clock)
    assert budget.try_take() > 0
    path.write_text('["x"]', encoding="utf-8")
    assert budget.try_take() > 0


def test_a_clock_set_back_frees_nothing_early() -> None:
    clock = Clock()
    budget = RateBudget(1, window_s=60.0, clock=clock)
    assert budget.try_take() == 0.0
    clock.now -= 500
    assert budget.try_take() > 59


def test_waiters_are_served_and_a_timeout_takes_nothing() -> None:
    async def scene(budget: RateBudget) -> None:
        await asyncio.gather(*(budget.take() for _ in range(4)))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await budget.take()

    clock = Clock()
    budget = RateBudget(5, window_s=60.0, clock=clock)
    asyncio.run(scene(RateBudget(2, window_s=0.2)))
    asyncio.run(budget.take())
    assert [budget.try_take() for _ in range(4)] == [0.0] * 4 and budget.try_take() > 0


def test_no_limit_is_no_limit() -> None:
    assert RateBudget(0).try_take() == 0.0


def test_the_breaker_opens_tries_once_and_closes() -> None:
    clock = Clock()
    breaker = CircuitBreaker(2, 30.0, clock=clock)
    breaker.fail()
    assert breaker.allow()
    breaker.fail()
    assert not breaker.allow() and "2 faults" in breaker.reason
    clock.now += 30
    assert breaker.allow() and not breaker.allow()  # one trial only
    breaker.fail()
    assert not breaker.allow()
    clock.now += 30
    assert breaker.allow()
    breaker.release()  # given up before it told anything
    assert breaker.allow()
    breaker.succeed()
    assert breaker.allow() and breaker.allow()


def test_a_breaker_told_to_rest_rests_so_long_and_no_longer() -> None:
    clock = Clock()
    breaker = CircuitBreaker(5, 1.0, clock=clock)
    breaker.fail("retired", rest_s=600.0)
    clock.now += 599
    assert not breaker.allow() and "retired" in breaker.reason
    clock.now += 1
    assert breaker.allow()  # heard again, should it be back


def purse(path: Path, tokens: int = 0, cost: float = 0.0, day: str = "2026-01-01") -> Spending:
    return Spending(tokens, cost, path=path, today=lambda: day)


def test_a_day_never_spends_more_than_its_limit_whatever_restarts(tmp_path: Path) -> None:
    path = tmp_path / "purse" / "spending.json"
    assert purse(path, tokens=100).take(60, 0.0)
    assert not purse(path, tokens=100).take(60, 0.0)  # a second process
    purse(path, tokens=100).settle(-50, 0.0)  # it used 10 of the 60
    assert purse(path, tokens=100).take(60, 0.0)
    assert purse(path, tokens=100, day="2026-01-02").take(100, 0.0)  # a new day
    money = tmp_path / "money.json"
    assert purse(money, cost=1.0).take(10**9, 0.9) and not purse(money, cost=1.0).take(1, 0.2)


def test_an_unreadable_purse_spends_nothing_and_no_limit_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "spending.json"
    assert purse(path).take(10**9, 1e9) and not path.exists()
    for text in ("[", "[1]", '{"day": "2026-01-01", "tokens": "x", "cost": 0}'):
        path.write_text(text, encoding="utf-8")
        assert not purse(path, tokens=100).take(1, 0.0)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12))
def test_what_is_settled_stays_within_the_limit(calls: list[tuple[int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spent, path = 0, Path(folder) / "spending.json"
        for most, used in calls:
            if purse(path, tokens=100).take(most, 0.0):
                purse(path, tokens=100).settle(min(used, most) - most, 0.0)
                spent += min(used, most)
        assert spent <= 100
