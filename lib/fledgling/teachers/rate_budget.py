"""A rate budget that is never exceeded: in no window of that length are there more calls than
allowed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from fledgling.core.errors import DataError
from fledgling.core.files import read_json, write_text

log = logging.getLogger(__name__)


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
            calls = self._read()
            wait = self._take_from(calls)
            if wait == 0.0:
                write_text(self._path, json.dumps(list(calls)))
            self._calls = calls
        return wait

    async def take(self) -> None:
        """Wait for a free place and take it. Cancel it, by a timeout, to give up without taking
        one.
        """
        async with self._turn:
            while (wait := self.try_take()) > 0.0:
                await asyncio.sleep(wait)

    def used(self) -> int:
        """Calls in the window now, as far as this process knows."""
        now = self._clock()
        return sum(call > now - self._span for call in self._calls)

    def _take_from(self, calls: deque[float]) -> float:
        now = self._clock()
        while calls and calls[0] <= now - self._span:
            calls.popleft()
        if len(calls) < self.limit:
            calls.append(
                max(now, calls[-1] if calls else now)
            )  # a clock set back must not free places early
            return 0.0
        return max(calls[-self.limit] + self._span - now, 0.001)

    def _read(self) -> deque[float]:
        """The calls on record; an unreadable record counts as a window full of calls, the only safe
        reading.
        """
        if not self._path.exists():
            return deque()
        try:
            calls = read_json(self._path)
            return deque(sorted(min(float(call), self._clock()) for call in calls))
        except (DataError, TypeError, ValueError):
            log.warning("the rate record %s is unreadable; waiting one whole window", self._path)
            return deque([self._clock()] * self.limit)
