"""Do two answers exclude each other? Sentence embeddings hardly see "not", a number or a name; this
does.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from fledgling.core.answers import words
from fledgling.core.paths import DATA
from fledgling.teachers.settings import AgreementSection

_NAME = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_NUMBER = re.compile(r"(?<![\w.])[-−]?\d+(?:,\d{3})*(?:\.\d+)?")
_ASIDE = re.compile(r",\s*(?:and |but )?not [^,.;]+")  # "mammals, not birds" denies something else
_NEGATION_TEXT = """
    not no never neither nor none nobody nothing cannot without false incorrect untrue wrong
"""
_NEGATIONS = frozenset(_NEGATION_TEXT.split())
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


@lru_cache(maxsize=4096)
def numbers(text: str) -> frozenset[float]:
    """The numbers of a text, digits or words up to a thousand ("1,000" and "thousand" are one);
    lone "one" is not.

    >>> sorted(numbers("Twelve of 1,000 cost 3.50"))
    [3.5, 12.0, 1000.0]
    """
    text = unicodedata.normalize("NFKC", text).replace("−", "-")
    found = {float(match.replace(",", "")) for match in _NUMBER.findall(text)}
    # "one" is a pronoun more often than a number: "the one that …"
    spelled = (set(words(text)) - {"one"}) & _NUMBER_WORDS.keys()
    return frozenset(found | {_NUMBER_WORDS[word] for word in spelled})


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


def contradiction(left: str, right: str, section: AgreementSection) -> str | None:
    """Why two answers to one question exclude each other: polarity, number, opposite or name;
    ``None`` if not.
    """
    if _denies(left) != _denies(right):
        return "polarity"
    ours, theirs = numbers(left), numbers(right)
    # one holding the other's numbers only says more: "in 1969" and "on 20 July 1969"
    if ours and theirs and not (ours <= theirs or theirs <= ours):
        return "number"
    only_left, only_right = content(left) - content(right), content(right) - content(left)
    if any(_exclude(a, b) for a in only_left for b in only_right):
        return "opposite"
    return "name" if _rival_names(left, right, section) else None


def _denies(text: str) -> bool:
    """Whether the text says no: two negations cancel out."""
    found = words(_ASIDE.sub("", text))
    return sum(word in _NEGATIONS or word.endswith("n't") for word in found) % 2 == 1


@lru_cache(maxsize=4096)
def content(text: str) -> frozenset[str]:
    """The words of a text that carry meaning."""
    return frozenset(words(text)) - _FILLER


def _exclude(left: str, right: str) -> bool:
    sets = exclusive_words()
    return bool(sets.get(left, frozenset()) & sets.get(right, frozenset()))


def _rival_names(left: str, right: str, section: AgreementSection) -> bool:
    """Whether each text names somebody or something the other does not, in otherwise like
    sentences.
    """
    ours, theirs = content(left), content(right)
    overlap = len(ours & theirs) / max(len(ours | theirs), 1)
    # a capital that opens a sentence marks a name only where the sentences are otherwise alike
    initial = overlap >= section.same_claim
    names_left, names_right = _names(left, initial), _names(right, initial)
    rivals = bool(names_left - theirs) and bool(names_right - ours)
    return rivals and (overlap >= section.same_topic or not names_left & names_right)


@lru_cache(maxsize=4096)
def _names(text: str, initial: bool) -> frozenset[str]:
    """Capitalised content words; those that open a sentence only if ``initial``."""
    found: set[str] = set()
    for match in _NAME.finditer(text):
        before = text[: match.start()].rstrip()
        opens = not before or before[-1] in ".!?:"
        if match.group()[0].isupper() and (initial or not opens):
            found.update(words(match.group()))
    return frozenset(found) - _FILLER
