"""When to train, and who goes first: a reply before a micro-batch, always."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from fledgling.feedback.settings import TriggersSection


def due(
    section: TriggersSection, *, important: int, pending: int, idle_seconds: float, asked: bool
) -> str:
    """Why to train now, ``manual``, ``important`` or ``idle``; "" for not now. Nothing pending is
    never a reason.
    """
    if not pending:
        return ""
    if asked:
        return "manual"
    if important >= section.important:
        return "important"
    return "idle" if idle_seconds >= section.idle_seconds else ""


class Floor:
    """Who may compute. Replies take the floor as soon as the micro-batch in progress ends; training
    waits while anybody is replying. Neither ever computes beside the other, so each has all cores.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._replying, self._busy = 0, False
        self._last = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """Seconds since the last reply ended; 0 during one."""
        with self._changed:
            return 0.0 if self._replying else time.monotonic() - self._last

    @contextmanager
    def reply(self) -> Iterator[None]:
        """Held while a reply is computed; waits for at most one micro-batch."""
        with self._changed:
            self._replying += 1
            while self._busy:
                self._changed.wait()
            self._busy = True
        try:
            yield
        finally:
            with self._changed:
                self._replying, self._busy = self._replying - 1, False
                self._last = time.monotonic()
                self._changed.notify_all()

    @contextmanager
    def training(self) -> Iterator[None]:
        """Held for one micro-batch; begins when nobody is replying or waiting to."""
        with self._changed:
            while self._busy or self._replying:
                self._changed.wait()
            self._busy = True
        try:
            yield
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
