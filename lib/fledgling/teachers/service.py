"""The teachers at work on a file of questions: resumable, watchable, never asking what has been
decided.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from fledgling.teachers.answers import Decide
from fledgling.teachers.decision_log import DecisionLog, Question, QuestionFile
from fledgling.teachers.pool import Enough, PoolReply, TeacherPool
from fledgling.teachers.settings import TeachersSection

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """A snapshot: counts of questions, decisions a minute, latency percentiles in seconds, memory
    in MB.
    """

    queued: int
    open: int
    decided: int
    already: int
    flagged: int
    unanswered: int
    unreadable: int
    per_minute: float
    p50: float
    p95: float
    p99: float
    memory_mb: float
    last: str = ""


class TeacherService:
    """Works through a questions file. ``run`` yields a ``Progress`` after every decision and every
    idle look.

    ``enough`` says of a quorum's answers whether they settle the question; without it the quorum's
    number does.
    """

    def __init__(
        self,
        pool: TeacherPool,
        decide: Decide,
        questions: Path,
        out: Path,
        *,
        enough: Enough | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self._pool = pool
        self._decide = decide
        self._enough = enough
        self._source = QuestionFile(questions)
        self._out = out
        self._stop = stop or threading.Event()
        self._queue: deque[Question] = deque()
        self._open: dict[Future[PoolReply], Question] = {}
        self._again: list[tuple[float, Question]] = []  # when to ask once more what nobody answered
        self._known: set[str] = set()
        kept = pool.section.service.latencies_kept
        self._seconds: deque[float] = deque(maxlen=kept)
        self._times: deque[float] = deque(maxlen=kept)
        self._counts = {"decided": 0, "already": 0, "flagged": 0, "unanswered": 0}
        self._last = ""

    @property
    def section(self) -> TeachersSection:
        return self._pool.section

    def run(self, *, watch: bool = False) -> Iterator[Progress]:
        """Decide everything in the file; with ``watch`` go on as it grows, until ``stop`` is set.

        A question that nobody answers is not written: it is asked again later (``watch``), or by
        the next run. Raises ``RunError`` when the output cannot be written.
        """
        with DecisionLog(self._out) as decisions:
            self._known |= decisions.done
            while not self._stop.is_set():
                self._read(watch=watch)
                self._send()
                if not self._open and not watch:
                    break
                yield from self._collect(decisions)
            yield from self._drain(decisions)
        yield self.progress()

    def progress(self) -> Progress:
        """Where things stand."""
        p50, p95, p99 = (
            np.percentile(self._seconds, (50, 95, 99)) if self._seconds else (0.0, 0.0, 0.0)
        )
        span = self._times[-1] - self._times[0] if len(self._times) > 1 else 0.0
        return Progress(
            queued=len(self._queue) + len(self._again),
            open=len(self._open),
            **self._counts,
            unreadable=self._source.unreadable,
            per_minute=60 * (len(self._times) - 1) / span if span else 0.0,
            p50=float(p50),
            p95=float(p95),
            p99=float(p99),
            memory_mb=psutil.Process().memory_info().rss / 2**20,
            last=self._last,
        )

    def _read(self, *, watch: bool) -> None:
        now = time.monotonic()
        if watch:
            self._queue.extend(question for due, question in self._again if due <= now)
            self._again = [(due, question) for due, question in self._again if due > now]
        for question in self._source.read_new(whole_lines=watch):
            if question.id in self._known:
                self._counts["already"] += 1
                continue
            self._known.add(question.id)
            self._queue.append(question)

    def _send(self) -> None:
        while self._queue and len(self._open) < self.section.pool.concurrency:
            question = self._queue.popleft()
            self._open[self._pool.submit(question.text, enough=self._enough)] = question

    def _collect(self, decisions: DecisionLog) -> Iterator[Progress]:
        """Write what is ready. With nothing under way, wait one poll instead."""
        if not self._open:
            self._stop.wait(self.section.service.poll_s)
            yield self.progress()
            return
        ready, _ = wait(
            self._open, timeout=self.section.service.poll_s, return_when=FIRST_COMPLETED
        )
        for future in ready:
            self._settle(self._open.pop(future), future.result(), decisions)
            yield self.progress()
        if not ready:
            yield self.progress()

    def _drain(self, decisions: DecisionLog) -> Iterator[Progress]:
        """After a stop: what is already asked is awaited and written, within its deadline."""
        while self._open:
            yield from self._collect(decisions)

    def _settle(self, question: Question, reply: PoolReply, decisions: DecisionLog) -> None:
        if not reply.usable:
            self._counts["unanswered"] += 1
            self._again.append(
                (time.monotonic() + self.section.service.retry_unanswered_s, question)
            )
            faults = (
                "; ".join(f"{answer.model_name}: {answer.error}" for answer in reply.answers)
                or "all silent"
            )
            log.warning("nobody answered %s: %s", question.id, faults)
            return
        decision = self._decide(question.text, reply.answers)
        decisions.append(question, decision, seconds=reply.seconds)
        self._counts["decided"] += 1
        self._counts["flagged"] += decision.flagged
        self._seconds.append(reply.seconds)
        self._times.append(time.monotonic())
        self._last = f"{question.text[:48]} → {decision.text[:48] or decision.kind}"
        log.info(
            "%s %s (agreement %.2f, quality %.2f, %.2f s)",
            question.id,
            decision.kind,
            decision.agreement,
            decision.quality,
            reply.seconds,
        )
