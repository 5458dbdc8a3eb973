"""A loop inside a library as a generator of records: it runs in a thread that moves only while the
caller waits for the next record.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from fledgling.core.records import StepRecord

Emit = Callable[[StepRecord], None]


class _Closed(BaseException):
    """The caller wants no more records. Not an ``Exception``, so that no library swallows it."""


class _Handover:
    """One baton between two threads."""

    def __init__(self) -> None:
        self.asked, self.given = threading.Semaphore(0), threading.Semaphore(0)
        self.record: StepRecord | None = None
        self.error: BaseException | None = None
        self.closed = False

    def emit(self, record: StepRecord) -> None:
        self.record = record
        self.given.release()
        self.asked.acquire()
        if self.closed:
            raise _Closed

    def work(self, run: Callable[[Emit], Any]) -> None:
        self.asked.acquire()
        try:
            if not self.closed:
                run(self.emit)
        except _Closed:
            pass
        except BaseException as error:  # handed to the caller, who raises it
            self.error = error
        self.record = None
        self.given.release()


def stepwise(run: Callable[[Emit], Any]) -> Iterator[StepRecord]:
    """Yield the records that ``run(emit)`` emits, as they come. Nothing runs between two of them:
    the caller may pause as long as it likes. Closing the generator ends ``run`` at its next record;
    what ``run`` raises, the generator raises.

    >>> [record.event for record in stepwise(lambda emit: emit(StepRecord(0, "start")))]
    ['start']
    """
    baton = _Handover()
    worker = threading.Thread(target=baton.work, args=(run,), name="stepwise", daemon=True)
    worker.start()
    try:
        while True:
            baton.asked.release()
            baton.given.acquire()
            if baton.record is None:
                break
            yield baton.record
    finally:
        baton.closed = True
        baton.asked.release()
        worker.join()
    if baton.error is not None:
        raise baton.error
