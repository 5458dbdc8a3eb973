"""Lessons are learned in the background, one after another."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fledgling.core.records import Turn

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lesson:
    """A turn to learn from; ``taught``: it is taken at its word even where no fact is detected.
    Without a turn, everything that waits to be trained is. ``number`` is its place among the
    lessons that a session has noted, None where it is noted nowhere.
    """

    turn: Turn | None
    taught: bool = False
    number: int | None = None


class Worker:
    """A thread that is there as long as there are lessons. It is no daemon: a program that ends
    first lets the lesson end.
    """

    def __init__(self, learn: Callable[[Lesson], None]) -> None:
        self._learn = learn
        self._changed = threading.Condition()
        self._lessons: deque[Lesson] = deque()
        self._running = False
        self._paused = False
        self._held = 0

    @property
    def waiting(self) -> int:
        """Lessons not yet begun."""
        return len(self._lessons)

    @property
    def busy(self) -> bool:
        """Whether a lesson is being learned."""
        return self._running

    def add(self, lesson: Lesson) -> None:
        """Learn this after what is already there; while paused it waits."""
        with self._changed:
            self._lessons.append(lesson)
            self._start()

    def pause(self) -> None:
        """Begin no more lessons; the one that runs is finished."""
        with self._changed:
            self._paused = True

    def go_on(self) -> None:
        """Learn what waits, and what comes."""
        with self._changed:
            self._paused = False
            self._start()

    def clear(self) -> None:
        """Drop the lessons that were not begun."""
        with self._changed:
            self._lessons.clear()

    def wait(self) -> None:
        """Return when nothing is being learned, and nothing waits that is not paused."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running)

    @contextmanager
    def held(self) -> Iterator[None]:
        """``wait``, and begin nothing while the block lasts."""
        with self._changed:
            self._held += 1
        try:
            self.wait()
            yield
        finally:
            with self._changed:
                self._held -= 1
                self._start()

    def _start(self) -> None:
        if self._lessons and not (self._running or self._paused or self._held):
            self._running = True
            threading.Thread(target=self._work, name="fledgling lessons").start()

    def _work(self) -> None:
        while True:
            with self._changed:
                if self._paused or not self._lessons:
                    self._running = False
                    self._changed.notify_all()
                    return
                lesson = self._lessons.popleft()
            try:
                self._learn(lesson)
            except Exception:  # the thread lives on: whoever waits for it must not wait for ever
                _log.exception("a lesson failed, and so did saying so")
