"""How a task's outcome is told: one JSON line in a file of the inbox."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from fledgling.auto_learning.clock import stamp
from fledgling.auto_learning.traffic import Task


@dataclass(frozen=True)
class TaskOutcome:
    """A finished task. ``quality`` is on the rating scale, None where nobody rated it; ``seconds``
    from asking to done.
    """

    task: Task
    model: str
    reply: str
    success: bool
    quality: float | None
    seconds: float
    finished: datetime
    errors: int = 0
    retries: int = 0

    def to_line(self) -> str:
        """The JSON line that the inbox takes."""
        told = asdict(self)
        task = told.pop("task")
        told["finished"] = stamp(self.finished)
        named = {"task_id": task.pop("id"), **task}
        return json.dumps({**named, **told}, ensure_ascii=False)


def deliver(inbox: Path, name: str, outcomes: Iterable[TaskOutcome]) -> Path:
    """Append outcomes to ``inbox/name.jsonl``, forced to disk: a daily file may grow for a day."""
    lines = "".join(f"{outcome.to_line()}\n" for outcome in outcomes)
    path = inbox / f"{name}.jsonl"
    with path.open("ab") as file:
        file.write(lines.encode())
        file.flush()
        os.fsync(file.fileno())
    return path
