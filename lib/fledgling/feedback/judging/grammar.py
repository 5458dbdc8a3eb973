"""What is known of words where a turn corrects a reply: data/feedback/answers.yaml, compiled."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fledgling.core.errors import DataError
from fledgling.core.files import read_yaml
from fledgling.core.paths import DATA

GRAMMAR = DATA / "feedback" / "answers.yaml"
_LISTS = (
    "pointers",
    "orders",
    "numbers",
    "times",
    "said_later",
    "closers",
    "approximate",
    "breaks",
    "reasons",
    "openers",
)


@dataclass(frozen=True)
class Grammar:
    """Words to kinds, sets of words by name, pairs of words, and expressions."""

    kinds: dict[str, str]
    words: dict[str, frozenset[str]]
    pairs: frozenset[tuple[str, str]]
    pair_breaks: frozenset[tuple[str, str]]
    opening: re.Pattern[str]
    objections: re.Pattern[str]
    decides: re.Pattern[str]
    wants: dict[str, re.Pattern[str]]


@lru_cache(maxsize=4)
def read_grammar(path: Path = GRAMMAR) -> Grammar:
    """Read and compile what is known of words. Raises ``DataError`` naming what is broken."""
    values = read_yaml(path)
    try:
        kinds: dict[str, str] = {}
        for kind, listed in values["kinds"].items():
            for word in listed.split():
                kinds.setdefault(word, kind)
        return Grammar(
            kinds,
            {name: frozenset(values[name].split()) for name in _LISTS},
            _pairs(values["phrases"]),
            _pairs(values["breaks_before"]),
            _compiled("|".join(f"(?:{line})" for line in values["opening_phrases"])),
            _compiled("|".join(f"(?:{line})" for line in values["objections"])),
            _compiled(values["decides"]),
            {name: _compiled(line) for name, line in values["wants"].items()},
        )
    except (re.error, KeyError, AttributeError, TypeError, ValueError) as error:
        raise DataError(f"{path} holds a broken expression: {error}") from error


def _pairs(phrases: list[str]) -> frozenset[tuple[str, str]]:
    return frozenset((first, second) for first, second in map(str.split, phrases))


def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.IGNORECASE | re.VERBOSE)


def is_number(word: str) -> bool:
    """Whether a word has digits or is a number: "7", "14th", "twenty-one"."""
    numbers = read_grammar().words["numbers"]
    return any(letter.isdigit() for letter in word) or any(
        part in numbers for part in word.split("-")
    )
