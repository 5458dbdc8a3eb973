"""What a text from a user may be: words that can be stored, compared and shown."""

from __future__ import annotations

import re

from fledgling.core.errors import DataError

# Half of a surrogate pair is no character: it cannot be written as UTF-8.
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
# Control characters other than tab and line ends: NUL cuts C strings short, ESC drives terminals.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_WORD = re.compile(r"[^\W_]")
_LETTER = re.compile(r"[^\W\d_]")
_LATIN = re.compile(r"[A-Za-zÀ-ɏ]")


def check_text(text: str, field: str, where: str = "") -> str:
    """``text`` as it came, when it can be learned from.

    ``field`` and ``where`` ("facts.jsonl line 3") name its place in the message. Raises
    ``DataError`` for half a surrogate pair, a control character, or no word at all.
    """
    fault = find_fault(text)
    if fault:
        place = f"{where}: " if where else ""
        raise DataError(f"{place}{field} {fault}")
    return text


def find_fault(text: str) -> str:
    """What is wrong with ``text`` and how to mend it, or "" when nothing is."""
    surrogate, control = _LONE_SURROGATE.search(text), _CONTROL.search(text)
    if surrogate is not None:
        return (
            f"holds half a surrogate pair (\\u{ord(surrogate.group()):04x}) at character"
            f" {surrogate.start() + 1}, which is no character; save the file as UTF-8"
        )
    if control is not None:
        return (
            f"holds the control character \\x{ord(control.group()):02x} at character"
            f" {control.start() + 1}; remove it"
        )
    if not _WORD.search(text):
        return f"is {text!r}, which holds no word; give the sentence to learn"
    return ""


def is_english(text: str, latin_share: float) -> bool:
    """Whether the rules can read ``text``: words, mostly in Latin letters."""
    letters = _LETTER.findall(text)
    return len(letters) > 1 and len(_LATIN.findall(text)) >= latin_share * len(letters)
