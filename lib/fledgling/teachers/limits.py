"""What keeps a pool from hammering and from overspending: a breaker for each model, a rate budget
for each account, one purse for all.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import sys
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from fledgling.core.errors import DataError
from fledgling.core.files import read_json, write_text

log = logging.getLogger(__name__)
_SHORTEST_WAIT_S = 0.001  # a wait of nothing would spin


class CircuitBreaker:
    """Closed (all calls pass), open (none, for a while), half-open (one trial). ``clock`` is
    monotonic, in seconds.

    A server that names a time to wait, or a fault that lasts, opens it at once for that long; never
    for good, so that a model that came back is heard again.
    """

    def __init__(
        self, failures: int, cooldown_s: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = failures
        self._cooldown_s = cooldown_s
        self._clock = clock
        self._in_a_row = 0
        self._until: float | None = None
        self._trial = False
        self.reason = ""  # why calls are refused, for the answer's error

    def allow(self) -> bool:
        """Whether a call may pass now. A half-open breaker lets one through until that one is
        reported.
        """
        if self._until is None:
            return True
        if self._clock() < self._until or self._trial:
            return False
        self._trial = True
        return True

    def succeed(self) -> None:
        """The call answered: close."""
        self._in_a_row, self._until, self._trial = 0, None, False

    def fail(self, why: str = "", *, rest_s: float = 0.0) -> None:
        """The call failed. ``rest_s``: open at once, for so many seconds."""
        self._in_a_row += 1
        if rest_s or self._trial or self._in_a_row >= self._limit:
            self._until = self._clock() + (rest_s or self._cooldown_s)
            self.reason = f"resting after {self._in_a_row} faults in a row, the last: {why}"
        self._trial = False

    def release(self) -> None:
        """The call was given up before it told anything: another trial may pass."""
        self._trial = False


class RateBudget:
    """At most ``limit`` calls in any ``window_s + margin_s`` seconds (a sliding window, no bursts
    at its edge).

    With ``path`` the calls are written to a file under a lock before they are made: a restart, or a
    second process, goes on from what was really sent. ``limit`` 0 means no limit. ``clock`` gives
    seconds since the epoch.
    """

    def __init__(
        self,
        limit: int,
        *,
        window_s: float = 60.0,
        margin_s: float = 0.0,
        path: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.limit = limit
        self._span = window_s + margin_s
        self._path = path
        self._clock = clock
        self._calls: deque[float] = deque()
        self._turn = asyncio.Lock()  # waiters are served in order

    def try_take(self) -> float:
        """Take one call if allowed now: 0.0. Otherwise the seconds until one is."""
        if not self.limit:
            return 0.0
        if self._path is None:
            return self._take_from(self._calls)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._path.with_suffix(".lock")):
            calls = self._read(self._path)
            wait = self._take_from(calls)
            if wait == 0.0:
                write_text(self._path, json.dumps(list(calls)))
        return wait

    async def take(self) -> None:
        """Wait for a free place and take it. Cancel it, by a timeout, to give up without taking
        one.
        """
        async with self._turn:
            while (wait := self.try_take()) > 0.0:
                await asyncio.sleep(wait)

    def _take_from(self, calls: deque[float]) -> float:
        now = self._clock()
        while calls and calls[0] <= now - self._span:
            calls.popleft()
        if len(calls) >= self.limit:
            return max(calls[-self.limit] + self._span - now, _SHORTEST_WAIT_S)
        # a clock set back must not free places early
        calls.append(max(now, calls[-1] if calls else now))
        return 0.0

    def _read(self, path: Path) -> deque[float]:
        """The calls on record; an unreadable record counts as a window full of calls, the only safe
        reading.
        """
        if not path.exists():
            return deque()
        try:
            return deque(sorted(min(float(call), self._clock()) for call in read_json(path)))
        except (DataError, TypeError, ValueError):
            log.warning("the rate record %s is unreadable; waiting one whole window", path)
            return deque([self._clock()] * self.limit)


class Spending:
    """Tokens and cost of one day (UTC), never more than the limits; 0 means no limit.

    What a call may use at most is taken before it is made and settled afterwards, in a file under a
    lock: a restart, a kill, a second process go on from what was spent. ``today`` names the day.
    """

    def __init__(
        self,
        tokens: int,
        cost: float,
        *,
        path: Path,
        today: Callable[[], str] = lambda: datetime.now(UTC).date().isoformat(),
    ) -> None:
        self._limits = (tokens, cost)
        self._path = path
        self._today = today

    def take(self, tokens: int, cost: float) -> bool:
        """Take this much if the day's limits allow it."""
        return self._add(tokens, cost, within=self._limits)

    def settle(self, tokens: int, cost: float) -> None:
        """Add what was used beyond what was taken; negative gives back."""
        self._add(tokens, cost, within=(0, 0.0))

    def _add(self, tokens: int, cost: float, *, within: tuple[int, float]) -> bool:
        if not any(self._limits):
            return True
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._path.with_suffix(".lock")):
            spent_tokens, spent_cost = self._spent()
            spent = (spent_tokens + tokens, spent_cost + cost)
            if any(limit and now > limit for limit, now in zip(within, spent, strict=True)):
                return False
            record = {"day": self._today(), "tokens": spent[0], "cost": spent[1]}
            write_text(self._path, json.dumps(record))
        return True

    def _spent(self) -> tuple[int, float]:
        """Today's sums; an unreadable record counts as everything spent, the only safe reading."""
        if not self._path.exists():
            return 0, 0.0
        try:
            record = read_json(self._path)
            if record["day"] != self._today():
                return 0, 0.0
            return max(int(record["tokens"]), 0), max(float(record["cost"]), 0.0)
        except (DataError, KeyError, TypeError, ValueError):
            log.warning("%s is unreadable; nothing more is spent until it is removed", self._path)
            return sys.maxsize, math.inf
