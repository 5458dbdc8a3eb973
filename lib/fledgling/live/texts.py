"""What people and models write, made safe to keep and to show."""

from __future__ import annotations

import html
import re

from fledgling.core.errors import DataError
from fledgling.language.texts import check_text

# Control characters, and the marks that turn the direction of a line, can make a screen show what
# is not there; tab and line feed are harmless.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def check_message(text: str, longest: int) -> str:
    """A message as it came, without white space around it. Raises ``DataError`` for one without a
    word, with control characters, or longer than ``longest`` characters.
    """
    text = text.strip()
    if len(text) > longest:
        raise DataError(
            f"the message has {len(text):,} characters; at most {longest:,} are read at once:"
            " shorten it, or send it in parts"
        )
    return check_text(text, "the message")


def plain(text: str) -> str:
    """Text for a terminal: what would drive it is shown as a replacement character.

    >>> plain("a\\x1b[2Jb") == "a\ufffd[2Jb"
    True
    """
    return _UNSEEN.sub("\ufffd", text)


def markup(text: str) -> str:
    """Text for a page: nothing in it is markup.

    >>> markup("<b>5 & 6</b>")
    '&lt;b&gt;5 &amp; 6&lt;/b&gt;'
    """
    return html.escape(plain(text)).replace("\n", "<br>")


def shortened(text: str, length: int) -> str:
    """One line of at most ``length`` characters.

    >>> shortened("one two three", 8)
    'one two…'
    """
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1].rstrip()}…"
