"""Anchors: general prompts on which a taught model must go on answering as its frozen base does."""

from __future__ import annotations

from pathlib import Path

from fledgling.core.errors import DataError
from fledgling.core.files import read_jsonl
from fledgling.core.paths import DATA


def read_anchors(path: Path | str) -> list[str]:
    """Read prompts, one ``{"prompt": …}`` a line, in the file's order.

    Raises:
        DataError: a broken line, a missing or empty prompt, a prompt given twice, or an empty file.
    """
    path = Path(path)
    lines: dict[str, int] = {}
    for number, line in read_jsonl(path):
        prompt = line.get("prompt")
        if not isinstance(prompt, str) or not prompt.strip():
            raise DataError(
                f"{path} line {number}: field 'prompt' is {prompt!r}; it must be a non-empty"
                ' string, for example {"prompt": "Why is the sky blue?"}'
            )
        prompt = prompt.strip()
        if prompt in lines:
            raise DataError(
                f"{path} line {number}: prompt {prompt!r} stands in line {lines[prompt]} too;"
                " remove one"
            )
        lines[prompt] = number
    if not lines:
        raise DataError(
            f'{path} holds no prompts; write one a line, for example {{"prompt": "Why is the sky'
            ' blue?"}'
        )
    return list(lines)


def held_in() -> list[str]:
    """The anchors that training may use (for KL to the base, and for the guard)."""
    return read_anchors(DATA / "facts" / "anchors" / "held_in.jsonl")


def held_out() -> list[str]:
    """The anchors that are only ever measured: they never reach a loss."""
    return read_anchors(DATA / "facts" / "anchors" / "held_out.jsonl")


def unrelated() -> list[str]:
    """Ordinary user turns that teach nothing, for filling streams and measuring a gate's
    precision.
    """
    return read_anchors(DATA / "facts" / "conversations" / "unrelated.jsonl")
