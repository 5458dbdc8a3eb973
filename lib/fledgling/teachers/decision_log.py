"""Decisions as JSON lines, such that a kill at any moment loses nothing and repeats nothing."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from fledgling.core.errors import DataError, RunError
from fledgling.core.files import parse_json
from fledgling.teachers.answers import Decision
from fledgling.teachers.questions import Question, question_key

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None

log = logging.getLogger(__name__)


class DecisionLog:
    """Appends one line a decision and forces it to disk before returning. One process at a time
    writes to a file, by whatever name it came to it.
    """

    def __init__(self, path: Path) -> None:
        # a link is another name of the same file: everything below is about the file itself
        self.path = path.resolve()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a+b")
        except OSError as error:
            raise RunError(
                f"cannot write to {path}: {error.strerror}; choose another --out"
            ) from error
        try:
            self._lock = _claim(self._file, self.path)
            self.done = self._recover()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> DecisionLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let others write to it."""
        self._file.close()
        if self._lock is not None:
            self._lock.release()

    def append(self, question: Question, decision: Decision, *, seconds: float) -> None:
        """Write one decision; when this returns it has survived a power cut."""
        row = {"id": question.id, "question": question.text, "answer": decision.text}
        row |= asdict(decision) | {"seconds": round(seconds, 4)}
        row |= {"decided": datetime.now(UTC).isoformat(timespec="seconds")}
        del row["text"]
        line = json.dumps(row, ensure_ascii=False) + "\n"
        try:
            self._file.write(line.encode("utf-8", "replace"))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise RunError(
                f"cannot write to {self.path}: {error.strerror}; nothing before this line is lost, "
                "make room and run the same command again"
            ) from error
        self.done.add(question.key)

    def rows(self) -> Iterator[dict[str, Any]]:
        """What was decided so far, oldest first."""
        with self.path.open("rb") as lines:
            for raw in lines:
                row = _decided(raw)
                if row is not None:
                    yield row

    def _recover(self) -> set[str]:
        """The keys already decided. A last line that a kill cut short is taken off: its question is
        asked again.
        """
        done: set[str] = set()
        good, whole = 0, True
        self._file.seek(0)
        for number, raw in enumerate(self._file, start=1):
            row, whole = _decided(raw), raw.endswith(b"\n")
            if row is None and whole and raw.strip():
                raise DataError(
                    f"{self.path} line {number} is not a decision; is this the right --out file?"
                )
            if row is None and not whole:
                break
            if row is not None:
                done.add(question_key(str(row["id"]), str(row.get("question", ""))))
            good += len(raw)
        if good < self.path.stat().st_size:
            log.warning("%s ended in half a line; its question will be asked again", self.path)
            self._file.truncate(good)
        elif not whole:  # only the line's end is missing
            self._file.write(b"\n")
        return done


def _claim(file: BinaryIO, path: Path) -> FileLock | None:
    """Lock the file for this process, until it is closed."""
    try:
        if fcntl is not None:
            # the file and not its name: a hard link is the same file too
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return None
        lock = FileLock(path.with_name(path.name + ".lock"))
        lock.acquire(timeout=0)
        return lock
    except (BlockingIOError, Timeout) as error:
        raise RunError(
            f"another `teachers run` is writing to {path}; wait for it or choose another --out"
        ) from error


def _decided(raw: bytes) -> dict[str, Any] | None:
    """A line as a decision, or ``None`` when it is cut short or something else."""
    try:
        row = parse_json(raw)
    except ValueError:
        return None
    return row if isinstance(row, dict) and "id" in row else None
