"""Training data as conversations: for the local trainer, and as the JSONL file that hosted
fine-tuning services take. The file is written and checked; nothing here sends it anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fledgling.auto_learning.settings import HostedSection, ReadinessSection
from fledgling.core.errors import DataError
from fledgling.core.files import read_jsonl, write_text
from fledgling.feedback.examples import ChatExample


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: str = Field(min_length=1)


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    messages: list[_Message] = Field(min_length=2)


def chat(prompt: str, reply: str, system: str = "") -> ChatExample:
    """One question and its reply as a conversation."""
    messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": reply}]
    if system:
        messages.insert(0, {"role": "system", "content": system})
    return ChatExample(tuple(messages))


def write_hosted(
    path: Path,
    examples: Sequence[ChatExample],
    hosted: HostedSection,
    readiness: ReadinessSection,
) -> int:
    """Write a service's chat file, whole or not at all, and check it as read back. Returns its
    bytes.

    Raises ``DataError`` naming the first line that the service would refuse.
    """
    lines = [
        json.dumps({"messages": list(example.messages)}, ensure_ascii=False) for example in examples
    ]
    write_text(path, "".join(f"{line}\n" for line in lines))
    check_hosted(path, hosted, readiness)
    return path.stat().st_size


def check_hosted(path: Path, hosted: HostedSection, readiness: ReadinessSection) -> int:
    """Check a chat file line by line: known roles, words in every message, user and assistant in
    turn, the assistant last, no conversation and no file too long. Returns the number of lines.
    """
    size = path.stat().st_size if path.is_file() else 0
    if size > hosted.file_bytes:
        raise DataError(
            f"{path} has {size} bytes, the service takes {hosted.file_bytes}; train on fewer"
            " examples"
        )
    count = 0
    for number, value in read_jsonl(path):
        _check_line(f"{path} line {number}", value, hosted, readiness)
        count += 1
    if count == 0:
        raise DataError(f"{path} holds no conversation")
    return count


def _check_line(
    place: str, value: Mapping[str, object], hosted: HostedSection, readiness: ReadinessSection
) -> None:
    try:
        messages = _Line.model_validate(value).messages
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{place}: {where} {first['msg'].lower()}") from error
    spoken = [message.role for message in messages if message.role != "system"]
    wanted = ["user", "assistant"] * (len(spoken) // 2)
    if spoken != wanted or "system" in [message.role for message in messages[1:]]:
        raise DataError(
            f"{place}: the roles are {', '.join(message.role for message in messages)}; a"
            " conversation is an optional system message, then user and assistant in turn"
        )
    if not all(message.content.strip() for message in messages):
        raise DataError(f"{place}: a message has no words")
    tokens = sum(len(message.content) for message in messages) / readiness.chars_per_token
    if tokens > hosted.example_tokens:
        raise DataError(
            f"{place}: about {tokens:.0f} tokens, the service takes {hosted.example_tokens}"
        )
