"""Questions from a file that may grow while it is read, and may hold anything."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fledgling.core.errors import DataError
from fledgling.core.files import parse_json
from fledgling.teachers.answers import Message, Query, readable

_FORM = '{"question": "…"} on each line; "id", "messages", "answer" are optional'
_SHOWN = 200  # characters of an unreadable line that are kept in its record


@dataclass(frozen=True)
class Question:
    """One line of the file. Without an id of its own the text's hash is its id. ``gold`` are the
    accepted answers where they are known; ``problem`` says why the line is no question.
    """

    id: str
    query: Query
    gold: tuple[str, ...] = ()
    problem: str = ""

    @property
    def text(self) -> str:
        return self.query.text

    @property
    def key(self) -> str:
        """What tells it from every other question: two that share an id are still two."""
        return question_key(self.id, self.text)


def question_id(text: str) -> str:
    """A stable id of a question's text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def question_key(id_: str, text: str) -> str:
    """The key of a question with this id and text, as it stands in a decision too."""
    return question_id(f"{id_}\x1f{text}")


class _Row(BaseModel):
    model_config = ConfigDict(coerce_numbers_to_str=True)

    question: str = ""
    messages: list[Message] = Field(default_factory=list)
    id: str = ""
    answer: str | list[str] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, values: Any) -> Any:
        return (
            {k: v for k, v in values.items() if v is not None}
            if isinstance(values, dict)
            else values
        )


def parse_question(line: bytes, *, plain: bool) -> Question | None:
    """One line → a question, or ``None`` where it is blank; a ``plain`` line is the question
    itself. What cannot be read has a ``problem``: it gets a record of its own and is never asked.
    """
    try:
        text = line.decode("utf-8").strip()
        if not text:
            return None
        row = _Row(question=text) if plain else _Row.model_validate(parse_json(text))
        return _question(row)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        problem = f"{place}: {first['msg']}" if place else first["msg"]
    except ValueError as error:
        problem = str(error)
    shown = line.decode("utf-8", "replace").strip()[:_SHOWN]
    return Question(f"line-{hashlib.sha256(line).hexdigest()[:16]}", Query(shown), problem=problem)


def _question(row: _Row) -> Question:
    said = row.question.strip()
    history = tuple(row.messages)
    if not said and history and history[-1].role == "user":
        said, history = history[-1].content.strip(), history[:-1]
    if not said:
        raise ValueError(f"the question is empty; give {_FORM}")
    gold = (row.answer,) if isinstance(row.answer, str) else tuple(row.answer)
    known = tuple(answer for answer in gold if answer.strip())
    return Question(row.id or question_id(said), Query(said, history), known)


class QuestionFile:
    """Reads a growing file of questions, from where it last stopped.

    A line is ``{"question": "…", "id": "…"}`` (the id is optional), ``{"messages": […]}`` for a
    conversation, or, in a ``.txt`` file, the question itself.
    """

    def __init__(self, path: Path, *, line_bytes: int) -> None:
        if not path.is_file():
            raise DataError(
                f"{path} does not exist; give a JSONL file, {_FORM}, or a .txt file, one question"
                " a line"
            )
        self.path = path
        self._longest = line_bytes
        self._offset = 0

    def read_new(self, *, whole_lines: bool) -> Iterator[Question]:
        """The questions added since the last call. ``whole_lines``: leave a last line without its
        end for later.
        """
        if self.path.stat().st_size < self._offset:
            self._offset = 0  # replaced by a shorter file: read it from the start
        with self.path.open("rb") as lines:
            lines.seek(self._offset)
            while line := lines.readline(self._longest + 1):
                too_long = len(line) > self._longest
                end = line
                while too_long and end and not end.endswith(b"\n"):
                    end = lines.readline(self._longest)  # passed over piece by piece
                if whole_lines and not end.endswith(b"\n"):
                    return
                first, self._offset = self._offset == 0, lines.tell()
                if first:
                    line = line.removeprefix(b"\xef\xbb\xbf")  # what Windows editors begin with
                question = self._too_long(line) if too_long else self._parse(line)
                if question is not None:
                    yield question

    def _parse(self, line: bytes) -> Question | None:
        return parse_question(line, plain=self.path.suffix == ".txt")

    def _too_long(self, line: bytes) -> Question:
        shown = readable(line[:_SHOWN].decode("utf-8", "replace"), _SHOWN)
        problem = f"the line is longer than service.line_bytes ({self._longest})"
        id_ = f"line-{hashlib.sha256(line).hexdigest()[:16]}"
        return Question(id_, Query(shown), problem=problem)
