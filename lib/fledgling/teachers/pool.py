"""A pool that answers as one: it asks several teachers at once and stops when it has heard
enough.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from fledgling.core.errors import ConfigError
from fledgling.teachers.answers import Answer, Teacher, failure
from fledgling.teachers.settings import PoolSection, TeachersSection

Result = TypeVar("Result")
Enough = Callable[[Sequence[Answer]], bool]


@dataclass(frozen=True)
class PoolReply:
    """What came back: all answers, failures included, in the order they arrived, and the seconds it
    took.

    ``late`` names the teachers that were asked but not waited for.
    """

    question: str
    answers: tuple[Answer, ...]
    seconds: float
    late: tuple[str, ...] = ()

    @property
    def usable(self) -> tuple[Answer, ...]:
        return tuple(answer for answer in self.answers if answer.error is None)


class TeacherPool:
    """Asks ``max_teachers`` at once; the others are reserves, called when one fails or, with
    hedging, is silent.

    It stops at the deadline, when all have spoken, or a moment after ``quorum`` answers are there.
    Runs on an event loop of its own, in one thread, so that it works alike from a script, a
    notebook and a server.
    """

    def __init__(self, teachers: Sequence[Teacher], section: TeachersSection) -> None:
        names = [teacher.name for teacher in teachers]
        if not teachers or len(set(names)) < len(names):
            raise ConfigError(
                f"a pool needs teachers with different names, not {names or 'none'}; "
                "configure teachers.local or teachers.endpoints"
            )
        self.teachers = tuple(teachers)
        self.section = section
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="teacher-pool", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> TeacherPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Cancel what is under way, close the connections and end the thread."""
        if self._loop.is_closed():
            return
        self._run(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._loop.close()

    def ask(self, question: str, *, enough: Enough | None = None) -> PoolReply:
        """Ask the pool one question and wait for the reply. ``enough(answers)`` may ask for more
        than the quorum.
        """
        return self._run(self.ask_async(question, enough=enough))

    def submit(self, question: str, *, enough: Enough | None = None) -> Future[PoolReply]:
        """Ask without waiting."""
        return asyncio.run_coroutine_threadsafe(self.ask_async(question, enough=enough), self._loop)

    def ask_many(
        self, questions: Iterable[str], *, enough: Enough | None = None
    ) -> Iterator[PoolReply]:
        """Ask many, ``pool.concurrency`` at a time; replies come in the order of the questions."""
        open_: deque[Future[PoolReply]] = deque()
        for question in questions:
            open_.append(self.submit(question, enough=enough))
            if len(open_) >= self.section.pool.concurrency:
                yield open_.popleft().result()
        while open_:
            yield open_.popleft().result()

    async def ask_async(self, question: str, *, enough: Enough | None = None) -> PoolReply:
        """As ``ask``, on the pool's own loop."""
        return await _Round(self.teachers, self.section.pool, question, enough).run()

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _shut(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for teacher in self.teachers:
            close = getattr(teacher, "close", None)
            if close is not None:
                await close()


class _Round:
    """One question on its way through the pool."""

    def __init__(
        self,
        teachers: Sequence[Teacher],
        section: PoolSection,
        question: str,
        enough: Enough | None,
    ) -> None:
        self._section = section
        self._question = question
        self._enough = enough
        self._started = time.monotonic()
        self._end = self._started + section.deadline_s
        self._first = teachers[: section.max_teachers]
        self._reserves = deque(teachers[section.max_teachers :])
        self._open: dict[asyncio.Task[Answer], Teacher] = {}
        self._answers: list[Answer] = []
        self._hedged = section.hedge_after_s <= 0

    async def run(self) -> PoolReply:
        for teacher in self._first:
            self._send(teacher)
        try:
            while self._open and (wait := self._patience()) > 0:
                done, _ = await asyncio.wait(
                    self._open, timeout=wait, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    await self._receive(task)
                if not done:
                    self._hedge()
        finally:
            late = tuple(teacher.name for teacher in self._open.values())
            for task in self._open:
                task.cancel()
        return PoolReply(
            self._question, tuple(self._answers), time.monotonic() - self._started, late
        )

    def _send(self, teacher: Teacher) -> None:
        left = max(self._end - time.monotonic(), 0.0)
        self._open[asyncio.create_task(teacher.answer(self._question, timeout=left))] = teacher

    async def _receive(self, task: asyncio.Task[Answer]) -> None:
        teacher = self._open.pop(task)
        error = task.exception()
        answer = (
            task.result()
            if error is None
            else failure(teacher.name, f"{type(error).__name__}: {error}")
        )
        self._answers.append(answer)
        if answer.error is not None and self._reserves:
            self._send(self._reserves.popleft())
        good = [given for given in self._answers if given.error is None]
        if answer.error is None and len(good) >= self._section.quorum and self._open:
            now = time.monotonic()
            if self._enough is None or await asyncio.to_thread(self._enough, tuple(good)):
                self._end = min(self._end, now + self._section.patience * (now - self._started))

    def _patience(self) -> float:
        """Seconds until the next thing to do: the end, or the hedge."""
        now = time.monotonic()
        if not self._hedged:
            return max(min(self._end, self._started + self._section.hedge_after_s) - now, 1e-4)
        return self._end - now

    def _hedge(self) -> None:
        """Call a reserve for each teacher that is still silent, once."""
        if self._hedged or time.monotonic() < self._started + self._section.hedge_after_s:
            return
        self._hedged = True
        for _ in range(min(len(self._open), len(self._reserves))):
            self._send(self._reserves.popleft())
