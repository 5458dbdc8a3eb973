"""Words as they are compared: in small letters, by their stems, numbers by their value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from fledgling.language.sentences import mend_apostrophes

_TOKEN = re.compile(r"[^\W_]+(?:[.,:/'’-][^\W_]+)*%?")
_ENDINGS = re.compile(r"(?:ing|ed|es|er|est|ly|s)$")
_STEM = 6  # letters; what follows them seldom tells two words of one exchange apart
_COUNTED = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty
"""
_VALUES = {word: str(value) for value, word in enumerate(_COUNTED.split())}


def words_of(text: str) -> list[str]:
    """The words of a text in small letters."""
    return [match.group().lower().replace("’", "'") for match in _TOKEN.finditer(text)]


def value_of(word: str) -> str:
    """A number word as digits, every other word as it is.

    >>> value_of("seven"), value_of("heaven")
    ('7', 'heaven')
    """
    return _VALUES.get(word, word)


def stem(word: str) -> str:
    """The beginning of a word without its ending: enough to see "painted" in "painter".

    >>> stem("painted") == stem("painter"), stem("seven") == stem("7")
    (True, True)
    """
    word = value_of(word.removesuffix("'s"))
    return (_ENDINGS.sub("", word) if len(word) > 4 else word)[:_STEM]


def shape(text: str) -> str:
    """What a name or number looks like.

    >>> shape("205/55"), shape("Gate B12")
    ('000/00', 'Aa A00')
    """
    return re.sub(r"[a-z]+", "a", re.sub(r"[A-Z]+", "A", re.sub(r"\d", "0", text)))


def plain(text: str) -> str:
    """A phrase as it is compared: small letters, straight apostrophes, no article before it.

    >>> plain("The Großglockner.")
    'großglockner'
    """
    text = " ".join(mend_apostrophes(text).lower().strip(" .,!?\"'").split())
    return re.sub(r"^(?:the|a|an)\s+", "", text)


def alike(new: Sequence[str], others: Sequence[str]) -> float:
    """How much a new word looks like one that it may stand for ("Tim" for "Tom"), 0.6 to 1; else
    0.
    """
    pairs = [(one, other) for one in new[:12] for other in others[:60]]
    best = max((SequenceMatcher(None, one, other).ratio() for one, other in pairs), default=0.0)
    return best if best >= 0.6 else 0.0
