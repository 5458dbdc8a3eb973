"""Do two answers exclude each other? Sentence embeddings hardly see "not", a number or a name; this
does.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from fledgling.core.paths import DATA

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+(?:[.,]\d+)*")
_NUMBER = re.compile(r"(?<![\w.])[-−]?\d+(?:,\d{3})*(?:\.\d+)?")
_ASIDE = re.compile(r",\s*(?:and |but )?not [^,.;]+")  # "mammals, not birds" denies something else
_ARTICLES = frozenset(("a", "an", "the"))
_NEGATIONS = frozenset(
    (
        "not",
        "no",
        "never",
        "neither",
        "nor",
        "none",
        "nobody",
        "nothing",
        "cannot",
        "without",
        "false",
        "incorrect",
        "untrue",
        "wrong",
    )
)
_FILLER_TEXT = """
    a an the is are was were be been being am do does did has have had of in on at to for from by
    with as it its this that these those there and or but so if then than who which what when
    where why how he she they we you i his her their our your my me him them us will would can
    could should may might must about into also very just yes no not
"""
_FILLER = frozenset(_FILLER_TEXT.split())
_ONES = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty
"""
_TENS = "thirty forty fifty sixty seventy eighty ninety"
_NUMBER_WORDS = (
    {word: float(value) for value, word in enumerate(_ONES.split())}
    | {word: 10.0 * value for value, word in enumerate(_TENS.split(), start=3)}
    | {"hundred": 100.0, "thousand": 1000.0}
)
# Share of content words in common from which a differing subject is a rival, not a paraphrase.
_SAME_CLAIM = 0.5
_SAME_TOPIC = 0.3


def normalise(text: str) -> str:
    """NFKC, lower case, no articles, no punctuation, single spaces.

    >>> normalise("The  Eiffel Tower!")
    'eiffel tower'
    """
    return " ".join(word for word in words(text) if word not in _ARTICLES)


@lru_cache(maxsize=4096)
def words(text: str) -> tuple[str, ...]:
    """The words and numbers of a text, normalised, without the possessive 's, in order."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return tuple(word.replace(",", "").removesuffix("'s") for word in _WORD.findall(folded))


@lru_cache(maxsize=4096)
def numbers(text: str) -> frozenset[float]:
    """The numbers of a text, digits or words up to a thousand ("1,000" and "thousand" are one);
    lone "one" is not.

    >>> sorted(numbers("Twelve of 1,000 cost 3.50"))
    [3.5, 12.0, 1000.0]
    """
    text = unicodedata.normalize("NFKC", text).replace("−", "-")
    found = {float(match.replace(",", "")) for match in _NUMBER.findall(text)}
    spelled = {
        _NUMBER_WORDS[word] for word in words(text) if word in _NUMBER_WORDS and word != "one"
    }
    return frozenset(found | spelled)


@lru_cache(maxsize=1)
def exclusive_words() -> dict[str, frozenset[int]]:
    """Word → the sets of data/teachers/exclusive_words.txt that it stands in."""
    sets: dict[str, set[int]] = {}
    lines = (DATA / "teachers" / "exclusive_words.txt").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if not line.startswith("#"):
            for word in line.split():
                sets.setdefault(word, set()).add(number)
    return {word: frozenset(numbers_) for word, numbers_ in sets.items()}


def contradiction(left: str, right: str) -> str | None:
    """Why two answers to one question exclude each other: polarity, number, opposite or name;
    ``None`` if not.

    >>> contradiction("Water boils at 100 degrees.", "Water boils at 90 degrees.")
    'number'
    """
    if _polarity(left) != _polarity(right):
        return "polarity"
    if _neither_within(numbers(left), numbers(right)):
        return "number"
    only_left, only_right = content(left) - content(right), content(right) - content(left)
    if any(_exclude(a, b) for a in only_left for b in only_right):
        return "opposite"
    return "name" if _rival_names(left, right) else None


def _polarity(text: str) -> bool:
    found = words(_ASIDE.sub("", text))
    said_no = sum(word in _NEGATIONS or word.endswith("n't") for word in found)
    return said_no % 2 == 1


def _neither_within(left: frozenset[float], right: frozenset[float]) -> bool:
    return bool(left and right) and not (left <= right or right <= left)


@lru_cache(maxsize=4096)
def content(text: str) -> frozenset[str]:
    """The words of a text that carry meaning."""
    return frozenset(words(text)) - _FILLER


def _exclude(left: str, right: str) -> bool:
    sets = exclusive_words()
    return bool(sets.get(left, frozenset()) & sets.get(right, frozenset()))


def _rival_names(left: str, right: str) -> bool:
    """Whether each text names somebody or something the other does not, in otherwise like
    sentences.
    """
    ours, theirs = content(left), content(right)
    overlap = len(ours & theirs) / max(len(ours | theirs), 1)
    initial = overlap >= _SAME_CLAIM
    names_left, names_right = _names(left, initial), _names(right, initial)
    rivals = bool(names_left - theirs) and bool(names_right - ours)
    return rivals and (overlap >= _SAME_TOPIC or not names_left & names_right)


@lru_cache(maxsize=4096)
def _names(text: str, initial: bool) -> frozenset[str]:
    """Capitalised content words; those that open a sentence only if ``initial``."""
    found = set()
    for match in _WORD.finditer(text):
        before = text[: match.start()].rstrip()
        opens = not before or before[-1] in ".!?:"
        if match.group()[0].isupper() and (initial or not opens):
            found.add(match.group().casefold().replace("’", "'").removesuffix("'s"))
    return frozenset(found) - _FILLER
