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
from fledgling.tasks.data.examples import SPLITS, TaskExample, TaskSplits, checked, split_items

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
    parts = {
        name: _part(by_split[name], train if name == "train" else held_out, generator)
        for name in SPLITS
    }
    return checked(TaskSplits(TASK, CLASSES, **parts))


def divide_words(shares: Sequence[float], generator: np.random.Generator) -> dict[str, Words]:
    """Every family as a whole, every other word and every pair of letters into one split."""
    families = {" ".join(line): line for line in read_words("rhymes")}
    singles = {word: [word] for line in read_words("early_readers") for word in line}
    groups = {**families, **singles}
    split_of = {
        **split_items(list(families), shares, generator),
        **split_items(list(singles), shares, generator),
    }
    pairs = [f"{a}/{b}" for a in ALPHABET for b in ALPHABET if a < b]
    pair_split = split_items(pairs, shares, generator)
    pictures = {word for line in read_words("pictures") for word in line}
    by_split = {}
    for name in SPLITS:
        words = tuple(
            word for group, split in split_of.items() if split == name for word in groups[group]
        )
        by_split[name] = Words(
            words=words,
            families=tuple(
                tuple(line)
                for key, line in families.items()
                if split_of[key] == name and len(line) > 1
            ),
            pictures=tuple(word for word in words if word in pictures),
            pairs=tuple(pair for pair in pairs if pair_split[pair] == name),
        )
    return by_split


def _part(words: Words, per_skill: int, generator: np.random.Generator) -> tuple[TaskExample, ...]:
    examples: list[TaskExample] = []
    for skill, make in SKILLS.items():
        texts: set[str] = set()
        for _ in range(per_skill * 30):  # exercises repeat; stop when none is new for long
            if len(texts) == per_skill:
                break
            text, answer, level, items = make(words, generator)
            if text not in texts:
                texts.add(text)
                examples.append(TaskExample(text, TASK, skill, level, answer, items))
    return tuple(examples)


Made = tuple[str, str, int, tuple[str, ...]]


def _choose(options: Sequence[str], generator: np.random.Generator) -> str:
    return options[int(generator.integers(len(options)))]


def _level(word: str) -> int:
    """1 for up to three letters, 2 for four, 3 for more."""
    return min(3, max(1, len(word) - 2))


def _first(words: Words, generator: np.random.Generator) -> Made:
    word = _choose(words.words, generator)
    return f"first letter of {word}", word[0], _level(word), (word,)


def _last(words: Words, generator: np.random.Generator) -> Made:
    word = _choose(words.words, generator)
    return f"last letter of {word}", word[-1], _level(word), (word,)


def _nth(words: Words, generator: np.random.Generator) -> Made:
    word = _choose([word for word in words.words if len(word) >= 3], generator)
    place = int(generator.integers(1, 3))
    return f"{ORDINALS[place]} letter of {word}", word[place], _level(word), (word,)


def _missing(words: Words, generator: np.random.Generator) -> Made:
    """The hint is the word's letters in another order; the missing one occurs once in the word."""
    word = _choose([word for word in words.words if len(word) >= 3], generator)
    once = [place for place, letter in enumerate(word) if word.count(letter) == 1]
    if not once:
        return _missing(words, generator)
    place = once[int(generator.integers(len(once)))]
    letters = "".join(generator.permutation(list(word)))
    return f"{word[:place]}_{word[place + 1 :]} from {letters}", word[place], _level(word), (word,)


def _next(words: Words, generator: np.random.Generator) -> Made:
    word = _choose([word for word in words.words if word[0] != "z"], generator)
    return (
        f"abc after first of {word}",
        ALPHABET[ALPHABET.index(word[0]) + 1],
        _level(word),
        (word,),
    )


def _previous(words: Words, generator: np.random.Generator) -> Made:
    word = _choose([word for word in words.words if word[0] != "a"], generator)
    return (
        f"abc before first of {word}",
        ALPHABET[ALPHABET.index(word[0]) - 1],
        _level(word),
        (word,),
    )


def _lower(words: Words, generator: np.random.Generator) -> Made:
    """One letter of the word is written big; the answer is its small form."""
    word = _choose(words.words, generator)
    place = int(generator.integers(len(word)))
    text = word[:place] + word[place].upper() + word[place + 1 :]
    return f"make small {text}", word[place], _level(word), (word,)


def _odd(words: Words, generator: np.random.Generator) -> Made:
    pair = _choose(words.pairs, generator)
    common, odd = generator.permutation(pair.split("/"))
    length = int(generator.integers(3, 6))
    letters = [str(common)] * length
    letters[int(generator.integers(length))] = str(odd)
    return f"odd one {' '.join(letters)}", str(odd), length - 2, (pair,)


def _picture(words: Words, generator: np.random.Generator) -> Made:
    word, adjective = _choose(words.pictures, generator), _choose(ADJECTIVES, generator)
    return f"picture: {adjective} {word} starts", word[0], _level(word), (word,)


def _rhyme(words: Words, generator: np.random.Generator) -> Made:
    """Two rhyming words: the letter both end in, or the first vowel they share."""
    family = words.families[int(generator.integers(len(words.families)))]
    one, two = (str(word) for word in generator.permutation(list(family))[:2])
    level = max(_level(one), _level(two))
    if generator.integers(2):
        return f"rhyme {one} {two} ends", one[-1], level, (one, two)
    return f"rhyme {one} {two} vowel", _shared_vowel(one, two), level, (one, two)


def _shared_vowel(one: str, two: str) -> str:
    """The first vowel of the longest ending both share; ``y`` counts where no other vowel does."""
    length = next((n for n in range(min(len(one), len(two)), 0, -1) if one[-n:] == two[-n:]), 0)
    ending = one[len(one) - length :]
    vowels = [letter for letter in ending if letter in "aeiou"] or [
        letter for letter in ending if letter == "y"
    ]
    if not vowels:
        raise DataError(
            f"{one!r} and {two!r} share no vowel in their ending; mend data/tasks/rhymes.txt"
        )
    return vowels[0]


SKILLS: dict[str, Callable[[Words, np.random.Generator], Made]] = {
    "first_letter": _first,
    "last_letter": _last,
    "nth_letter": _nth,
    "missing_letter": _missing,
    "next_letter": _next,
    "previous_letter": _previous,
    "lower_case": _lower,
    "odd_one_out": _odd,
    "picture_word": _picture,
    "rhyme": _rhyme,
}
