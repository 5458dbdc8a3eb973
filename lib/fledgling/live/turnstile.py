"""One at a time on the model, and a reply goes before the next update."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Turnstile:
    """A lock with two doors. Whoever learns comes through ``step`` for each update, whoever answers
    through ``reply``; as long as a reply waits, no new step begins, so it waits for one at most.
    """

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._taken = False
        self._replies = 0  # that wait
        self.waited = 0.0  # seconds that the last reply waited for a step to end

    @contextmanager
    def reply(self) -> Iterator[None]:
        """The model for a reply, or for whatever a person waits for."""
        started = time.perf_counter()
        with self._free:
            self._replies += 1
            try:
                self._free.wait_for(lambda: not self._taken)
                self._taken = True
                self.waited = time.perf_counter() - started
            finally:
                self._replies -= 1
                self._free.notify_all()
        yield from self._pass()

    @contextmanager
    def step(self) -> Iterator[None]:
        """The model for one step of learning."""
        with self._free:
            self._free.wait_for(lambda: not self._taken and not self._replies)
            self._taken = True
        yield from self._pass()

    def _pass(self) -> Iterator[None]:
        try:
            yield
        finally:
            with self._free:
                self._taken = False
                self._free.notify_all()
