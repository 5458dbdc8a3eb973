"""Questions in, decisions out, both as JSON lines, such that a kill at any moment loses nothing and
repeats nothing.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from fledgling.core.errors import DataError, RunError
from fledgling.teachers.answers import Decision

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Question:
    """One line of the questions file. Without an id of its own the text's hash is its id."""

    id: str
    text: str


class QuestionFile:
    """Reads a growing file of questions, from where it last stopped.

    A line is ``{"question": "…", "id": "…"}`` (the id is optional) or, in a ``.txt`` file, the
    question itself. Lines that cannot be read are counted in ``unreadable`` and logged, not fatal:
    a service must outlive one bad line.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise DataError(
                f'{path} does not exist; give a JSONL file, one {{"question": "…"}} a line, '
                "or a .txt file, one question a line"
            )
        self.path = path
        self.unreadable = 0
        self._offset = 0
        self._line = 0

    def read_new(self, *, whole_lines: bool) -> Iterator[Question]:
        """The questions added since the last call. ``whole_lines``: leave a last line without its
        end for later.
        """
        if (
            self.path.stat().st_size < self._offset
        ):  # replaced by a shorter file: read it from the start
            self._offset = self._line = 0
        with self.path.open("rb") as lines:
            lines.seek(self._offset)
            for raw in lines:
                if whole_lines and not raw.endswith(b"\n"):
                    return
                self._offset += len(raw)
                self._line += 1
                question = self._parse(raw)
                if question is not None:
                    yield question

    def _parse(self, raw: bytes) -> Question | None:
        try:
            line = raw.decode("utf-8-sig" if self._line == 1 else "utf-8").strip()
            if not line:
                return None
            row = {"question": line} if self.path.suffix == ".txt" else json.loads(line)
            text = row["question"].strip()
            if not text:
                raise ValueError("the question is empty")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self.unreadable += 1
            log.error(
                "%s line %d is not a question and was skipped: %s", self.path, self._line, error
            )
            return None
        return Question(str(row.get("id") or question_id(text)), text)


def question_id(text: str) -> str:
    """A stable id of a question's text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class DecisionLog:
    """Appends one line a decision and forces it to disk before returning. One process at a time
    writes to a file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(path.with_name(path.name + ".lock"))
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise RunError(
                f"another `teachers run` is writing to {path}; wait for it or choose another --out"
            ) from error
        try:
            self.done = self._recover()
            self._file = path.open("ab")
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> DecisionLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let others write to it."""
        self._file.close()
        self._lock.release()

    def append(self, question: Question, decision: Decision, *, seconds: float) -> None:
        """Write one decision; when this returns it has survived a power cut."""
        row = {"id": question.id, "question": question.text, "answer": decision.text}
        row |= asdict(decision) | {"seconds": round(seconds, 4)}
        row |= {"decided": datetime.now(UTC).isoformat(timespec="seconds")}
        del row["text"]
        try:
            self._file.write((json.dumps(row, ensure_ascii=False) + "\n").encode())
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise RunError(
                f"cannot write to {self.path}: {error.strerror}; nothing before this line is lost, "
                "make room and run the same command again"
            ) from error
        self.done.add(question.id)

    def _recover(self) -> set[str]:
        """The ids already decided. A last line that a kill cut short is taken off: its question is
        asked again.
        """
        done: set[str] = set()
        if not self.path.exists():
            self.path.touch()
            return done
        good, whole = 0, True
        with self.path.open("r+b") as lines:
            for number, raw in enumerate(lines, start=1):
                entry, whole = _decided_id(raw), raw.endswith(b"\n")
                if entry is None and whole and raw.strip():
                    raise DataError(
                        f"{self.path} line {number} is not a decision; is this the right --out"
                        " file?"
                    )
                if entry is None and not whole:
                    break
                if entry is not None:
                    done.add(entry)
                good += len(raw)
            if good < self.path.stat().st_size:
                log.warning(
                    "%s ended in half a line; it was removed and its question will be asked again",
                    self.path,
                )
                lines.truncate(good)
            elif not whole:  # only the line's end is missing
                lines.write(b"\n")
        return done


def _decided_id(raw: bytes) -> str | None:
    """The id in a line, or ``None`` when the line is cut short or something else."""
    try:
        return str(json.loads(raw)["id"])
    except (ValueError, KeyError, TypeError):
        return None
