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

from fledgling.core.errors import ConfigError, FledglingError
from fledgling.teachers.answers import Decide, Decision
from fledgling.teachers.decision_log import DecisionLog
from fledgling.teachers.gold import GoldBook
from fledgling.teachers.pool import Enough, PoolReply, TeacherPool
from fledgling.teachers.questions import Question, QuestionFile
from fledgling.teachers.settings import TeachersSection

log = logging.getLogger(__name__)
_MEGABYTE = 2**20


@dataclass
class Counts:
    """What became of the questions so far; ``tokens`` and ``cost`` are those of all answers."""

    decided: int = 0
    already: int = 0
    flagged: int = 0
    unanswered: int = 0
    unreadable: int = 0
    tokens: int = 0
    cost: float = 0.0


@dataclass(frozen=True)
class Progress:
    """A snapshot: questions waiting and being asked, what became of the others, decisions a minute,
    latency percentiles in seconds, memory in MB.
    """

    queued: int
    open: int
    counts: Counts
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
    number does. ``gold`` learns whom to trust wherever the right answer is known.
    """

    def __init__(
        self,
        pool: TeacherPool,
        decide: Decide,
        questions: Path,
        out: Path,
        *,
        enough: Enough | None = None,
        gold: GoldBook | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        if out.exists() and questions.exists() and out.samefile(questions):
            raise ConfigError(f"--out {out} is the questions file itself; give another name")
        rules = pool.section.service
        self._pool = pool
        self._decide = decide
        self._enough = enough
        self._gold = gold
        self._source = QuestionFile(questions, line_bytes=rules.line_bytes)
        self._out = out
        self._stop = stop or threading.Event()
        self._queue: deque[Question] = deque()
        self._open: dict[Future[PoolReply], Question] = {}
        self._again: list[tuple[float, Question]] = []  # when to ask once more what nobody answered
        self._known: set[str] = set()
        self._ids: set[str] = set()
        self._seconds: deque[float] = deque(maxlen=rules.latencies_kept)
        self._times: deque[float] = deque(maxlen=rules.latencies_kept)
        self.counts = Counts()
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
                self._read(decisions, watch=watch)
                self._send()
                if not self._open and not watch:
                    break
                yield from self._collect(decisions)
            # after a stop: what is already asked is awaited and written, within its deadline
            while self._open:
                yield from self._collect(decisions)
        yield self.progress()

    def progress(self) -> Progress:
        """Where things stand."""
        p50, p95, p99 = np.percentile(self._seconds or [0.0], (50, 95, 99)).tolist()
        span = self._times[-1] - self._times[0] if len(self._times) > 1 else 0.0
        return Progress(
            queued=len(self._queue) + len(self._again),
            open=len(self._open),
            counts=self.counts,
            per_minute=60 * (len(self._times) - 1) / span if span else 0.0,
            p50=p50,
            p95=p95,
            p99=p99,
            memory_mb=psutil.Process().memory_info().rss / _MEGABYTE,
            last=self._last,
        )

    def _read(self, decisions: DecisionLog, *, watch: bool) -> None:
        """Take up what is new in the file, and what is due to be asked once more."""
        now = time.monotonic()
        if watch:
            self._queue.extend(question for due, question in self._again if due <= now)
            self._again = [(due, question) for due, question in self._again if due > now]
        for question in self._source.read_new(whole_lines=watch):
            if question.key in self._known:
                self.counts.already += 1
                continue
            if question.id in self._ids:
                log.warning("the id %s stands for different questions; both are asked", question.id)
            self._ids.add(question.id)
            self._known.add(question.key)
            if question.problem:
                self._refuse(question, question.problem, decisions)
            else:
                self._queue.append(question)
        if self._gold is not None:
            self._gold.read_new(decisions.rows, whole_lines=watch)

    def _refuse(self, question: Question, problem: str, decisions: DecisionLog) -> None:
        """Write an error record: the question is done with, and the run goes on."""
        self.counts.unreadable += 1
        log.error("%s was not answered: %s", question.id, problem)
        decisions.append(question, Decision("", "error", 0, 0, 0, True, problem), seconds=0.0)

    def _send(self) -> None:
        while self._queue and len(self._open) < self.section.pool.concurrency:
            question = self._queue.popleft()
            self._open[self._pool.submit(question.query, enough=self._enough)] = question

    def _collect(self, decisions: DecisionLog) -> Iterator[Progress]:
        """Write what is ready. With nothing under way, wait one poll instead."""
        poll_s = self.section.service.poll_s
        if not self._open:
            self._stop.wait(poll_s)
            yield self.progress()
            return
        ready, _ = wait(self._open, timeout=poll_s, return_when=FIRST_COMPLETED)
        for future in ready:
            self._settle(self._open.pop(future), future, decisions)
            yield self.progress()
        if not ready:
            yield self.progress()

    def _settle(
        self, question: Question, future: Future[PoolReply], decisions: DecisionLog
    ) -> None:
        try:
            reply = future.result()
            decision = self._decide(question.text, reply.answers) if reply.usable else None
        except FledglingError:
            raise
        except Exception as error:  # one question that nobody foresaw must not end the run
            log.exception("%s could not be decided", question.id)
            self._refuse(question, f"{type(error).__name__}: {error}", decisions)
            return
        paid = decision.answers if decision is not None else reply.answers
        self.counts.tokens += sum(answer.prompt_tokens + answer.tokens for answer in paid)
        self.counts.cost += sum(answer.cost for answer in paid)
        if decision is None:
            self._put_off(question, reply)
            return
        decisions.append(question, decision, seconds=reply.seconds)
        self.counts.decided += 1
        self.counts.flagged += decision.flagged
        self._seconds.append(reply.seconds)
        self._times.append(time.monotonic())
        self._last = f"{question.text[:48]} → {decision.text[:48] or decision.kind}"
        if self._gold is not None:
            self._gold.learn(question.text, reply.answers, question.gold)
        log.info(
            "%s %s (agreement %.2f, quality %.2f, %.2f s)",
            question.id,
            decision.kind,
            decision.agreement,
            decision.quality,
            reply.seconds,
        )

    def _put_off(self, question: Question, reply: PoolReply) -> None:
        """Nobody answered: ask again later."""
        self.counts.unanswered += 1
        again = time.monotonic() + self.section.service.retry_unanswered_s
        self._again.append((again, question))
        faults = [f"{answer.model_name}: {answer.error}" for answer in reply.answers]
        log.warning("nobody answered %s: %s", question.id, "; ".join(faults) or "all silent")
