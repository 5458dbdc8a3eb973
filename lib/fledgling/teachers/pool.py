"""A pool that answers as one: it asks several teachers at once and stops when it has heard
enough.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from fledgling.core.errors import ConfigError
from fledgling.teachers.answers import Answer, Query, Teacher, failure, readable
from fledgling.teachers.redaction import Secrets
from fledgling.teachers.settings import PoolSection, TeachersSection

_SHORTEST_WAIT_S = 1e-4  # a wait of nothing would end the round

Result = TypeVar("Result")
Enough = Callable[[Sequence[Answer]], bool]


@dataclass(frozen=True)
class PoolReply:
    """What came back: all answers that count, failures included, in the order they arrived, and the
    seconds it took.

    ``late`` names the teachers that were asked but not waited for.
    """

    question: str
    answers: tuple[Answer, ...]
    seconds: float
    late: tuple[str, ...] = ()

    @property
    def usable(self) -> tuple[Answer, ...]:
        return tuple(answer for answer in self.answers if answer.usable)


class TeacherPool:
    """Asks ``max_teachers`` at once; the others are reserves, called when one fails or is silent.
    ``stand_ins`` are weaker voices that never vote beside a teacher: they speak only where no
    teacher does.

    It stops at the deadline, when all have spoken, or a moment after ``quorum`` answers are there.
    Runs on an event loop of its own, in one thread, so that it works alike from a script, a
    notebook and a server; it closes a ``loop`` that it was given as well.
    """

    def __init__(
        self,
        teachers: Sequence[Teacher],
        section: TeachersSection,
        *,
        stand_ins: Sequence[Teacher] = (),
        redact: Secrets | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        names = [teacher.name for teacher in (*teachers, *stand_ins)]
        if not teachers or len(set(names)) < len(names):
            raise ConfigError(
                f"a pool needs teachers with different names, not {names or 'none'}; "
                "configure teachers.local or teachers.endpoints"
            )
        self.teachers = tuple(teachers)
        self.stand_ins = tuple(stand_ins)
        self.section = section
        self.redact = redact or Secrets()
        self._loop = loop or asyncio.new_event_loop()
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
        self.run(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._loop.close()

    def ask(self, question: str | Query, *, enough: Enough | None = None) -> PoolReply:
        """Ask the pool one question and wait for the reply. ``enough(answers)`` may ask for more
        than the quorum.
        """
        return self.run(self.ask_async(question, enough=enough))

    def submit(self, question: str | Query, *, enough: Enough | None = None) -> Future[PoolReply]:
        """Ask without waiting."""
        return asyncio.run_coroutine_threadsafe(self.ask_async(question, enough=enough), self._loop)

    def ask_many(
        self, questions: Iterable[str | Query], *, enough: Enough | None = None
    ) -> Iterator[PoolReply]:
        """Ask many, ``pool.concurrency`` at a time; replies come in the order of the questions."""
        open_: deque[Future[PoolReply]] = deque()
        for question in questions:
            open_.append(self.submit(question, enough=enough))
            if len(open_) >= self.section.pool.concurrency:
                yield open_.popleft().result()
        while open_:
            yield open_.popleft().result()

    async def ask_async(self, question: str | Query, *, enough: Enough | None = None) -> PoolReply:
        """As ``ask``, on the pool's own loop."""
        query = question if isinstance(question, Query) else Query(question)
        return await _Round(self, query, enough).run()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run something on the pool's own loop, from any other thread, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def tidy(self, answer: Answer) -> Answer:
        """What a teacher gave, fit to be weighed, written and shown."""
        longest = self.section.pool.answer_chars
        text = self.redact(readable(answer.text, longest))
        error = None if answer.error is None else self.redact(readable(answer.error, longest))
        # written so that NaN, which compares with nothing, becomes 0
        sure = min(answer.confidence, 1.0) if answer.confidence > 0.0 else 0.0
        return replace(answer, text=text, error=error, confidence=sure)

    async def _shut(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for teacher in (*self.teachers, *self.stand_ins):
            close = getattr(teacher, "close", None)
            if close is not None:
                await close()


class _Round:
    """One question on its way through the pool."""

    def __init__(self, pool: TeacherPool, query: Query, enough: Enough | None) -> None:
        self._pool = pool
        self._section: PoolSection = pool.section.pool
        self._query = query
        self._enough = enough
        self._now = asyncio.get_running_loop().time
        self._started = self._now()
        # what is decided at the deadline is late: nobody is waited for that long
        self._end = self._started + self._section.wait_share * self._section.deadline_s
        # late enough for a call to be given up, early enough for a reserve to answer
        self._relief = self._started + self._section.reserve_after * self._section.deadline_s
        self._relieved = self._section.reserve_after >= 1.0
        self._reserves = deque(pool.teachers[self._section.max_teachers :])
        self._waiting_stand_ins = list(pool.stand_ins)
        self._open: dict[asyncio.Task[Answer], Teacher] = {}
        self._answers: list[Answer] = []
        self._stood_in: list[Answer] = []

    async def run(self) -> PoolReply:
        for teacher in self._pool.teachers[: self._section.max_teachers]:
            self._send(teacher)
        try:
            while self._open and (wait := self._patience()) > 0 and not self._settled():
                done, _ = await asyncio.wait(
                    self._open, timeout=wait, return_when=asyncio.FIRST_COMPLETED
                )
                # Those that arrive together count in the order they were asked, not by the order of
                # a set, which is that of addresses in memory.
                for task in [task for task in self._open if task in done]:
                    await self._receive(task)
                if not self._relieved and self._now() >= self._relief:
                    self._relieve()
        finally:
            late = tuple(teacher.name for teacher in self._open.values())
            for task in self._open:
                task.cancel()
        heard = self._answers if _usable(self._answers) else self._answers + self._stood_in
        seconds = self._now() - self._started
        return PoolReply(self._query.text, tuple(heard), seconds, late)

    def _send(self, teacher: Teacher) -> None:
        left = max(self._end - self._now(), 0.0)
        self._open[asyncio.create_task(teacher.answer(self._query, timeout=left))] = teacher

    async def _receive(self, task: asyncio.Task[Answer]) -> None:
        teacher = self._open.pop(task)
        error = None if task.cancelled() else task.exception()
        if task.cancelled() or error is not None:
            said = f"{type(error).__name__}: {error}" if error else "it was cancelled"
            answer = self._pool.tidy(failure(teacher.name, said))
        else:
            answer = self._pool.tidy(task.result())
        if teacher in self._pool.stand_ins:
            self._stood_in.append(answer)
            return
        self._answers.append(answer)
        if not answer.usable:
            if self._reserves:
                self._send(self._reserves.popleft())
            elif not self._teachers_open() and not _usable(self._answers):
                self._send_stand_ins()
            return
        good = _usable(self._answers)
        if len(good) >= self._section.quorum and self._teachers_open():
            now = self._now()
            if self._enough is None or await asyncio.to_thread(self._enough, tuple(good)):
                self._end = min(self._end, now + self._section.patience * (now - self._started))

    def _relieve(self) -> None:
        """Call a reserve for each teacher that is still silent, and the stand-ins where nobody has
        spoken; once.
        """
        self._relieved = True
        for _ in range(min(len(self._teachers_open()), len(self._reserves))):
            self._send(self._reserves.popleft())
        if not _usable(self._answers):
            self._send_stand_ins()

    def _send_stand_ins(self) -> None:
        for teacher in self._waiting_stand_ins:
            self._send(teacher)
        self._waiting_stand_ins = []

    def _teachers_open(self) -> list[Teacher]:
        return [teacher for teacher in self._open.values() if teacher in self._pool.teachers]

    def _settled(self) -> bool:
        """Whether only stand-ins are still open and nothing depends on them."""
        enough = _usable(self._answers) or len(_usable(self._stood_in)) >= self._section.quorum
        return bool(enough) and not self._teachers_open()

    def _patience(self) -> float:
        """Seconds until the next thing to do: the end, or the relief."""
        now = self._now()
        if now >= self._end or self._relieved:
            return self._end - now
        return max(min(self._end, self._relief) - now, _SHORTEST_WAIT_S)


def _usable(answers: Sequence[Answer]) -> list[Answer]:
    return [answer for answer in answers if answer.usable]
