"""Does a text hold an accepted answer? It counts words, not letters: "1385" holds no "85"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_ARTICLES = frozenset({"a", "an", "the"})
_NOT_WORD = re.compile(r"[^\w\s]|_")


def words_of(text: str) -> list[str]:
    """The words of a text: NFKC, case folded, without articles and punctuation.

    >>> words_of("The  Parramatta\u00a0River!")
    ['parramatta', 'river']
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return [word for word in _NOT_WORD.sub(" ", folded).split() if word not in _ARTICLES]


def normalise(text: str) -> str:
    """The words of a text with single spaces between them."""
    return " ".join(words_of(text))


def contains(text: str, answers: Iterable[str]) -> bool:
    """Whether any accepted answer stands in the text, word for word.

    >>> contains("She lives in Oslo.", ["Oslo"]), contains("In 1385.", ["85"])
    (True, False)
    """
    said = f" {normalise(text)} "
    wanted = [normalise(answer) for answer in answers]
    return any(f" {answer} " in said for answer in wanted if answer)


def is_exact(text: str, answers: Iterable[str]) -> bool:
    """Whether the text is an accepted answer and nothing else."""
    return normalise(text) in {normalise(answer) for answer in answers}
