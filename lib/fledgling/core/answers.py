"""Does a reply hold the answer asked for? Counted in whole words, however they are written.

The one place where answers are compared: facts and teachers are scored by the same rule.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

ARTICLES = frozenset(("a", "an", "the"))
# A number is one word with decimals, thousands, minutes: "3.5" holds no "5", "1,385" is "1385".
_WORD = re.compile(r"\d+(?:,\d{3})+(?:\.\d+)?(?!\w)|\d+(?:[.:]\d+)+(?!\w)|[^\W_]+(?:'[^\W\d_]+)*")
_SIGNS = str.maketrans({",": None, ":": "."})  # left inside numbers alone: 7:30 is 7.30


@lru_cache(maxsize=4096)
def words(text: str) -> tuple[str, ...]:
    """The words and numbers of a text in order: NFKC, lower case, no punctuation, no possessive 's.

    >>> words("Tom’s 1,385 boyfriends")
    ('tom', '1385', 'boyfriends')
    """
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return tuple(word.translate(_SIGNS).removesuffix("'s") for word in _WORD.findall(folded))


def normalise(text: str) -> str:
    """The words without articles, single spaces. A last word is no article: "vitamin A" keeps it.

    >>> normalise("The  Parramatta\u00a0River!")
    'parramatta river'
    """
    found = words(text)
    return " ".join(
        word for place, word in enumerate(found, 1) if word not in ARTICLES or place == len(found)
    )


def contains(answer: str, accepted: Iterable[str]) -> bool:
    """Whether any accepted answer stands in the given one as a sequence of whole words.

    >>> contains("She lives in Oslo.", ["Oslo"]), contains("Pin: 1385", ["85"])
    (True, False)
    """
    return any(_stands_in(wanted, answer) for wanted in accepted)


def is_exact(answer: str, accepted: Iterable[str]) -> bool:
    """Whether the answer is an accepted one and nothing else, both normalised."""
    return normalise(answer) in {normalise(wanted) for wanted in accepted}


def _stands_in(wanted: str, answer: str) -> bool:
    sought = normalise(wanted)
    if not sought:
        return False
    # What ends in "a" is sought with articles in place: "vitamin A is found in carrots".
    ends_in_article = sought.split()[-1] in ARTICLES
    said = " ".join(words(answer)) if ends_in_article else normalise(answer)
    return f" {sought} " in f" {said} "
