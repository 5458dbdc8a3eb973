"""How long a person waits."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from fledgling.core.records import StepRecord
from fledgling.live.session import Session


@dataclass(frozen=True)
class Wait:
    """Seconds from a question to the first token of its reply: until the update's ``step`` that ran
    was over, and from then on.
    """

    step: float
    after: float


def first_token(session: Session, lesson: str, question: str) -> Wait | None:
    """Ask while ``lesson`` is learned, right after its first update. None where that came too late:
    nothing was being learned any more.
    """
    learning, tokens = threading.Event(), []

    def hear(record: StepRecord) -> None:
        if record.event == "update":
            learning.set()

    def heard(piece: str) -> None:
        tokens.append((time.perf_counter(), session.worker.busy))

    session.listen(hear)
    session.teach(lesson)
    learning.wait()
    started = time.perf_counter()
    session.ask(question, heard)
    waited = session.classroom.turnstile.waited
    session.wait()
    if not tokens or not tokens[0][1]:
        return None
    return Wait(waited, tokens[0][0] - started - waited)
