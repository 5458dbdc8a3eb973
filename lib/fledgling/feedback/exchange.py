"""Feedback in and out of files: the documented JSON forms, Alpaca, preference pairs, chat messages.

A file may be JSONL, or one JSON array. What each record is, its keys say. A record that cannot be
used is refused by its line, in words, and the rest is kept: nothing in it is ever executed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from fledgling.core.errors import DataError
from fledgling.core.files import write_text
from fledgling.core.records import Feedback
from fledgling.feedback.buffer import Entry
from fledgling.feedback.examples import ChatExample, Message, PreferencePair, check_messages
from fledgling.feedback.rows import as_messages, chosen_reply

Record = Feedback | ChatExample | PreferencePair
FORMS = ("native", "alpaca", "pairs", "chat")
_MAX_ARRAY_BYTES = 256 * 2**20  # an array is read whole; JSONL has no limit
_DEEPEST = 20  # brackets in brackets that any of the forms could need


@dataclass(frozen=True)
class Refused:
    """A record that was left out: its line (in an array: its place, from 1) and why."""

    line: int
    reason: str


def read_records(path: Path, *, max_record_bytes: int) -> Iterator[Record | Refused]:
    """Every record of a file, in order, broken ones as ``Refused``. A file of any size is read in
    bounded memory when it is JSONL.

    Raises ``DataError`` when there is no file, or it is an array that is not valid JSON.
    """
    try:
        with path.open("rb") as file:
            start = file.read(1)
            while start.isspace():
                start = file.read(1)
            file.seek(0)
            items = _array(file, path) if start == b"[" else _lines(file, max_record_bytes)
            for line, raw in items:
                yield raw if isinstance(raw, Refused) else _parsed(line, raw, max_record_bytes)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error


def _lines(file: BinaryIO, limit: int) -> Iterator[tuple[int, bytes | Refused]]:
    number = 0
    while line := file.readline(limit + 1):
        number += 1
        if len(line) > limit:
            while line and not line.endswith(b"\n"):
                line = file.readline(limit + 1)
            yield number, Refused(number, f"longer than {limit} bytes (buffer.max_record_bytes)")
        elif line.strip():
            yield number, line


def _array(file: BinaryIO, path: Path) -> Iterator[tuple[int, Any]]:
    text = file.read(_MAX_ARRAY_BYTES + 1)
    if len(text) > _MAX_ARRAY_BYTES:
        raise DataError(f"{path} is an array of over 256 MB; write one record a line instead")
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} begins as a JSON array but is not one: {error}") from error
    yield from enumerate(values, start=1)


def _parsed(line: int, raw: Any, limit: int) -> Record | Refused:
    try:
        value = _decoded(raw) if isinstance(raw, bytes) else raw
        if not isinstance(value, dict):
            return Refused(line, f"a {type(value).__name__} where a JSON object is needed")
        _check_depth(value, 0)
        if len(json.dumps(value)) > 6 * limit:  # an escape takes up to six bytes
            return Refused(line, f"longer than {limit} bytes (buffer.max_record_bytes)")
        return _record(value)
    except DataError as error:
        return Refused(line, str(error))


def _decoded(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise DataError(f"not UTF-8 text (byte {error.start})") from error
    except RecursionError as error:
        raise DataError("nested too deep") from error
    except ValueError as error:
        raise DataError(f"not valid JSON: {error}") from error


def _no_constant(name: str) -> float:
    raise DataError(f"{name} is not a number that JSON knows")


def _check_depth(value: Any, depth: int) -> None:
    if depth > _DEEPEST:
        raise DataError("nested too deep")
    if isinstance(value, str):
        _check_text(value)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        _check_depth(item, depth + 1)


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise DataError("a text holds a NUL character")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError("a text holds half a character (a lone surrogate)") from error


def _record(value: Mapping[str, Any]) -> Record:
    for key, read in _READERS:
        if key in value:
            return read(value)
    raise DataError(
        f"keys {', '.join(sorted(map(str, value))[:6]) or 'none'} are of no known form; known are"
        " query, instruction/output, prompt/chosen/rejected, messages"
    )


def _native(value: Mapping[str, Any]) -> Feedback:
    correction = _text(value, "correction", needed=False)
    is_negative = "bad_response" in value
    reply = _text(value, "bad_response" if is_negative else "response")
    kind = value.get("feedback_type", "negative" if is_negative else "positive")
    if kind not in ("positive", "negative", "neutral"):
        raise DataError(f"feedback_type {kind!r} is not positive, negative or neutral")
    if "is_positive" in value and value["is_positive"] is not (kind == "positive"):
        raise DataError(f"is_positive {value['is_positive']!r} contradicts feedback_type {kind!r}")
    signals = value.get("signals", [])
    if not isinstance(signals, list) or not all(isinstance(name, str) for name in signals):
        raise DataError("signals is not a list of names")
    label = "correction" if correction else kind
    quality = _share(value, "quality", {"positive": 0.8, "neutral": 0.55}.get(kind, 0.0))
    confidence = _share(value, "confidence", 1.0)
    return Feedback(
        label,
        confidence,
        _text(value, "query"),
        reply,
        _text(value, "reaction", needed=False),
        quality,
        tuple(signals),
        correction,
    )


def _alpaca(value: Mapping[str, Any]) -> ChatExample:
    instruction = _text(value, "instruction")
    asked = _text(value, "input", needed=False)
    prompt = (
        ({"role": "system", "content": instruction}, {"role": "user", "content": asked})
        if asked
        else ({"role": "user", "content": instruction},)
    )
    reply = {"role": "assistant", "content": _text(value, "output")}
    return ChatExample((*prompt, reply), _share(value, "weight", 1.0))


def _pair(value: Mapping[str, Any]) -> PreferencePair:
    prompt = as_messages(value.get("prompt"), "user")
    chosen, rejected = (
        as_messages(value.get(name), "assistant")[-1]["content"] for name in ("chosen", "rejected")
    )
    if chosen.strip() == rejected.strip():
        raise DataError("chosen and rejected are the same")
    return PreferencePair(prompt, chosen, rejected, _share(value, "weight", 1.0))


def _chat(value: Mapping[str, Any]) -> ChatExample:
    messages = as_messages(value["messages"], "user")
    check_messages(messages)
    return ChatExample(messages, _share(value, "weight", 1.0))


_READERS: tuple[tuple[str, Callable[[Mapping[str, Any]], Record]], ...] = (
    ("messages", _chat),
    ("chosen", _pair),
    ("query", _native),
    ("instruction", _alpaca),
)


def _text(value: Mapping[str, Any], key: str, *, needed: bool = True) -> str:
    text = value.get(key, "")
    if text is None or text == "":
        if needed:
            raise DataError(f"{key} is missing or empty")
        return ""
    if not isinstance(text, str):
        raise DataError(f"{key} is a {type(text).__name__}, not a text")
    if needed and not text.strip():
        raise DataError(f"{key} is blank")
    return text


def _share(value: Mapping[str, Any], key: str, default: float) -> float:
    number = value.get(key, default)
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 1:
        raise DataError(f"{key} {number!r} is not a number from 0 to 1")
    return float(number)


def write_entries(path: Path, entries: Sequence[Entry], form: str, *, instruction: str) -> int:
    """Write entries as JSONL in one of ``FORMS``, whole or not at all; returns how many lines.

    Entries that a form cannot express are left out: chat and Alpaca hold what is worth imitating,
    pairs what has a better and a worse reply.
    """
    if form not in FORMS:
        raise DataError(f"form {form!r} is not known; there are {', '.join(FORMS)}")
    rows = [row for entry in entries if (row := _row(entry, form, instruction)) is not None]
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    write_text(path, "".join(lines))
    return len(lines)


def _row(entry: Entry, form: str, instruction: str) -> dict[str, Any] | None:
    feedback = entry.feedback
    if form == "native":
        return _native_row(feedback)
    good = feedback.reply if feedback.label == "positive" else chosen_reply(entry)
    if form == "pairs":
        if feedback.label not in ("negative", "correction") or not good:
            return None
        prompt = [*entry.history, {"role": "user", "content": feedback.prompt}]
        return {"prompt": prompt, "chosen": good, "rejected": feedback.reply}
    if not good:
        return None
    if form == "alpaca":
        return {"instruction": instruction, "input": feedback.prompt, "output": good}
    asked: list[Message] = [*entry.history, {"role": "user", "content": feedback.prompt}]
    return {"messages": [*asked, {"role": "assistant", "content": good}]}


def _native_row(feedback: Feedback) -> dict[str, Any]:
    is_positive = feedback.label == "positive"
    kind = "negative" if feedback.label == "correction" else feedback.label
    reply = "bad_response" if kind == "negative" else "response"
    row: dict[str, Any] = {"query": feedback.prompt, reply: feedback.reply}
    if feedback.correction:
        row["correction"] = feedback.correction
    return {
        **row,
        "quality": feedback.quality,
        "is_positive": is_positive,
        "feedback_type": kind,
        "signals": list(feedback.signals),
        "confidence": feedback.confidence,
        "reaction": feedback.reaction,
    }
