"""Early reading: exercises over short words whose answer is one letter, a to z.

Every exercise can be solved from its text alone. ``abc`` stands for the alphabet, ``_`` for the
missing letter.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fledgling.core.errors import DataError
from fledgling.core.paths import DATA
from fledgling.tasks.data.examples import (
    SPLITS,
    Made,
    Maker,
    TaskSplits,
    checked,
    choose,
    practise,
    split_items,
)

TASK = "kindergarten"
ALPHABET = string.ascii_lowercase
CLASSES = tuple(ALPHABET)
WORDS = DATA / "tasks"
ORDINALS = ("first", "second", "third")
ADJECTIVES = ("big", "small", "red", "blue", "funny", "happy", "new", "old")


@dataclass(frozen=True)
class Words:
    """The words of one split. ``families`` rhyme; ``pictures`` can be shown."""

    words: tuple[str, ...]
    families: tuple[tuple[str, ...], ...]
    pictures: tuple[str, ...]
    pairs: tuple[str, ...]  # two different letters, such as "a/b"


def read_words(name: str) -> list[list[str]]:
    """The lines of data/tasks/<name>.txt as lists of words, notes left out."""
    lines = (WORDS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if line.strip() and not line.startswith("#")]


def kindergarten(*, seed: int, train: int, held_out: int, shares: Sequence[float]) -> TaskSplits:
    """Reading exercises, ``train`` and ``held_out`` per skill, in splits that share no word and no
    letter pair.

    Another ``seed`` gives other splits and other exercises. ``shares``: of the items in validation
    and in test.
    """
    generator = np.random.default_rng([seed, 26])
    by_split = divide_words(shares, generator)
    parts = {}
    for name in SPLITS:
        wanted = dict.fromkeys(SKILLS, train if name == "train" else held_out)
        parts[name] = practise(TASK, SKILLS, by_split[name], wanted, generator)
    return checked(TaskSplits(TASK, CLASSES, **parts))


def divide_words(shares: Sequence[float], generator: np.random.Generator) -> dict[str, Words]:
    """Every family as a whole, every other word and every pair of letters into one split."""
    families = {" ".join(line): line for line in read_words("rhymes")}
    singles = {word: [word] for line in read_words("early_readers") for word in line}
    groups = families | singles
    split_of = split_items(list(families), shares, generator)
    split_of |= split_items(list(singles), shares, generator)
    pairs = [f"{a}/{b}" for a in ALPHABET for b in ALPHABET if a < b]
    pair_split = split_items(pairs, shares, generator)
    pictures = {word for line in read_words("pictures") for word in line}
    by_split = {}
    for name in SPLITS:
        words = [word for key, group in groups.items() if split_of[key] == name for word in group]
        rhyming = [group for key, group in families.items() if split_of[key] == name]
        by_split[name] = Words(
            words=tuple(words),
            families=tuple(tuple(group) for group in rhyming if len(group) > 1),
            pictures=tuple(word for word in words if word in pictures),
            pairs=tuple(pair for pair in pairs if pair_split[pair] == name),
        )
    return by_split


def _level(word: str) -> int:
    """1 for up to three letters, 2 for four, 3 for more."""
    return min(3, max(1, len(word) - 2))


def _about(shown: str, answer: Callable[[str], str], fits: Callable[[str], bool] = bool) -> Maker:
    """Exercises that show a word that ``fits`` and ask for what ``answer`` makes of it."""

    def make(words: Words, generator: np.random.Generator) -> Made:
        word = choose(words.words, generator, fits)
        return shown.format(word), answer(word), _level(word), (word,)

    return make


def _beside(letter: str, step: int) -> str:
    """The letter so many places on in the alphabet."""
    return ALPHABET[ALPHABET.index(letter) + step]


def _nth(words: Words, generator: np.random.Generator) -> Made:
    word = choose(words.words, generator, lambda word: len(word) >= 3)
    place = int(generator.integers(1, 3))
    return f"{ORDINALS[place]} letter of {word}", word[place], _level(word), (word,)


def _missing(words: Words, generator: np.random.Generator) -> Made:
    """The hint is the word's letters in another order; the missing one occurs once in the word, or
    the hint would show it twice.
    """
    word = choose(words.words, generator, lambda word: len(word) >= 3 and _once(word) != [])
    place = _once(word)[int(generator.integers(len(_once(word))))]
    letters = "".join(generator.permutation(list(word)))
    return f"{word[:place]}_{word[place + 1 :]} from {letters}", word[place], _level(word), (word,)


def _once(word: str) -> list[int]:
    """The places of the letters that occur once."""
    return [place for place, letter in enumerate(word) if word.count(letter) == 1]


def _lower(words: Words, generator: np.random.Generator) -> Made:
    """One letter of the word is written big; the answer is its small form."""
    word = choose(words.words, generator)
    place = int(generator.integers(len(word)))
    text = word[:place] + word[place].upper() + word[place + 1 :]
    return f"make small {text}", word[place], _level(word), (word,)


def _odd(words: Words, generator: np.random.Generator) -> Made:
    pair = choose(words.pairs, generator)
    common, odd = map(str, generator.permutation(pair.split("/")))
    length = int(generator.integers(3, 6))
    letters = [common] * length
    letters[int(generator.integers(length))] = odd
    return f"odd one {' '.join(letters)}", odd, length - 2, (pair,)


def _picture(words: Words, generator: np.random.Generator) -> Made:
    word, adjective = (choose(some, generator) for some in (words.pictures, ADJECTIVES))
    return f"picture: {adjective} {word} starts", word[0], _level(word), (word,)


def _rhyme(words: Words, generator: np.random.Generator) -> Made:
    """Two rhyming words: the letter both end in, or the first vowel they share."""
    family = choose(words.families, generator)
    one, two = (str(word) for word in generator.permutation(list(family))[:2])
    level = max(_level(one), _level(two))
    if generator.integers(2):
        return f"rhyme {one} {two} ends", one[-1], level, (one, two)
    return f"rhyme {one} {two} vowel", _shared_vowel(one, two), level, (one, two)


def _shared_vowel(one: str, two: str) -> str:
    """The first vowel of the longest ending both share; ``y`` counts where no other vowel does."""
    longest = min(len(one), len(two))
    shared = (one[-length:] for length in range(longest, 0, -1) if two.endswith(one[-length:]))
    ending = next(shared, "")
    # "y" is a vowel only where there is no other: in "sky", not in "play".
    vowels = [letter for letter in ending if letter in "aeiou"]
    vowels += [letter for letter in ending if letter == "y"]
    if not vowels:
        raise DataError(
            f"{one!r} and {two!r} share no vowel in their ending; mend data/tasks/rhymes.txt"
        )
    return vowels[0]


SKILLS: dict[str, Maker] = {
    "first_letter": _about("first letter of {}", lambda word: word[0]),
    "last_letter": _about("last letter of {}", lambda word: word[-1]),
    "nth_letter": _nth,
    "missing_letter": _missing,
    "next_letter": _about(
        "abc after first of {}", lambda word: _beside(word[0], 1), lambda word: word[0] != "z"
    ),
    "previous_letter": _about(
        "abc before first of {}", lambda word: _beside(word[0], -1), lambda word: word[0] != "a"
    ),
    "lower_case": _lower,
    "odd_one_out": _odd,
    "picture_word": _picture,
    "rhyme": _rhyme,
}
