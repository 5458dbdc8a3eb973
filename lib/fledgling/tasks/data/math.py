"""First arithmetic: exercises whose answer is one digit, over numbers of up to two digits.

``_`` stands for the digit asked for. Where a result has two digits the text shows the first:
``47+38=8_`` asks for the 5. Every exercise can be solved from its text alone; its item is the
unordered pair of numbers it is about.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

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
from fledgling.tasks.data.word_problems import Frame, frames, tell

TASK = "math"
CLASSES = tuple("0123456789")
OBJECTS = "*#@&%"
LARGEST = 99
Pair = tuple[int, int]
# Skills of several steps are learned last: they get so many times the exercises.
EFFORT = {"larger": 2, "word_problem": 2}


@dataclass(frozen=True)
class Numbers:
    """What one split may use. ``pairs``: level → (a, b) with a ≤ b; level 1 holds the pairs of
    one-digit numbers.
    """

    pairs: dict[int, list[Pair]]
    close: dict[int, list[Pair]]  # those with b − a < 10
    frames: list[Frame]
    counts: Callable[[str], bool]  # whether an arrangement of objects belongs to this split


def math(*, seed: int, train: int, held_out: int, shares: Sequence[float]) -> TaskSplits:
    """Arithmetic exercises, ``train`` and ``held_out`` per skill, in splits that share no pair and
    no template.

    A pair of numbers belongs to one split in every skill. Another ``seed`` gives other splits and
    other exercises.
    """
    generator = np.random.default_rng([seed, 10])
    by_split = divide_numbers(shares, generator, salt=seed)
    parts = {}
    for name in SPLITS:
        size = train if name == "train" else held_out
        wanted = {skill: size * EFFORT.get(skill, 1) for skill in SKILLS}
        parts[name] = practise(TASK, SKILLS, by_split[name], wanted, generator)
    return checked(TaskSplits(TASK, CLASSES, **parts))


def divide_numbers(
    shares: Sequence[float], generator: np.random.Generator, *, salt: int
) -> dict[str, Numbers]:
    """Every unordered pair of numbers, every template and every arrangement of objects into one
    split.
    """
    pairs = [(a, b) for b in range(LARGEST + 1) for a in range(b + 1)]
    levels = {level: [pair for pair in pairs if _level(*pair) == level] for level in (1, 2)}
    every_frame = frames()
    # Each level and each kind of template by itself, so that no split goes without one.
    kinds = [[_item(*pair) for pair in some] for some in levels.values()]
    kinds += [[frame.item for frame in some] for some in every_frame.values()]
    split_of: dict[str, str] = {}
    for items in kinds:
        split_of |= split_items(items, shares, generator)
    by_split = {}
    for name in SPLITS:
        mine = {
            level: [pair for pair in some if split_of[_item(*pair)] == name]
            for level, some in levels.items()
        }
        known = [frame for some in every_frame.values() for frame in some]
        by_split[name] = Numbers(
            pairs=mine,
            close={level: [(a, b) for a, b in some if b - a < 10] for level, some in mine.items()},
            frames=[frame for frame in known if split_of[frame.item] == name],
            counts=lambda text, name=name: split_of_text(text, shares, salt) == name,
        )
    return by_split


def split_of_text(text: str, shares: Sequence[float], salt: int) -> str:
    """A split for a text out of too many to list: by its checksum, in the given shares of
    validation and test.
    """
    place = zlib.crc32(f"{salt} {text}".encode()) / 2**32
    if place < shares[0]:
        return "validation"
    return "test" if place < shares[0] + shares[1] else "train"


def _item(a: int, b: int) -> str:
    return f"{min(a, b)} {max(a, b)}"


def _level(a: int, b: int) -> int:
    """1 where both numbers have one digit."""
    return 1 if max(a, b) < 10 else 2


def _shown(result: int) -> str:
    """The result with its last digit blank.

    >>> _shown(85), _shown(7)
    ('8_', '_')
    """
    return f"{result // 10 or ''}_"


def _draw(
    pairs: dict[int, list[Pair]],
    generator: np.random.Generator,
    fits: Callable[[Pair], bool] = lambda pair: True,
) -> tuple[int, int, int]:
    """A pair that ``fits`` and its level: one in five of level 1, the rest of level 2, which has
    fifty times the pairs.
    """
    level = 1 if generator.random() < 0.2 else 2
    return *choose(pairs[level], generator, fits), level


def _swapped(a: int, b: int, generator: np.random.Generator) -> tuple[int, int]:
    return (b, a) if generator.integers(2) else (a, b)


def _addition(numbers: Numbers, generator: np.random.Generator) -> Made:
    low, high, level = _draw(numbers.pairs, generator)
    a, b = _swapped(low, high, generator)
    return f"{a}+{b}={_shown(a + b)}", str((a + b) % 10), level, (_item(a, b),)


def _subtraction(numbers: Numbers, generator: np.random.Generator) -> Made:
    b, a, level = _draw(numbers.pairs, generator)
    return f"{a}-{b}={_shown(a - b)}", str((a - b) % 10), level, (_item(a, b),)


def _missing(numbers: Numbers, generator: np.random.Generator) -> Made:
    a, c, level = _draw(numbers.close, generator)
    text = (f"{a}+_={c}", f"_+{a}={c}", f"{c}-_={a}")[int(generator.integers(3))]
    return text, str(c - a), level, (_item(a, c),)


def _counting(numbers: Numbers, generator: np.random.Generator) -> Made:
    """How often one object occurs among up to twelve."""
    one, other = (str(thing) for thing in generator.permutation(list(OBJECTS))[:2])
    count, extra = int(generator.integers(10)), int(generator.integers(1, 4))
    objects = "".join(generator.permutation([one] * count + [other] * extra))
    if not numbers.counts(objects):
        return _counting(numbers, generator)
    return f"how many {one} in {objects}", str(count), 1 + count // 4, (objects,)


def _larger(numbers: Numbers, generator: np.random.Generator) -> Made:
    """Level 3: both numbers have the same tens, so that the ones decide."""
    wanted = 1 + int(generator.choice(3, p=(0.2, 0.5, 0.3)))
    pairs = (numbers.close if wanted == 3 else numbers.pairs)[min(wanted, 2)]
    low, high = choose(
        pairs,
        generator,
        lambda pair: pair[0] != pair[1] and (wanted < 3 or pair[0] // 10 == pair[1] // 10),
    )
    a, b = _swapped(low, high, generator)
    return f"larger of {a} and {b} ends in", str(high % 10), wanted, (_item(a, b),)


def _sequence(numbers: Numbers, generator: np.random.Generator) -> Made:
    """Three numbers at one distance, up or down; the fourth is asked for."""
    while True:
        low, high, level = _draw(numbers.close, generator)
        one, two = _swapped(low, high, generator)
        following = one + 3 * (two - one)
        if one != two and 0 <= following <= LARGEST:
            break
    text = f"{one} {two} {2 * two - one} {_shown(following)}"
    return text, str(following % 10), level, (_item(one, two),)


def _product(numbers: Numbers, generator: np.random.Generator) -> Made:
    """One factor has one digit."""
    low, high, level = _draw(numbers.pairs, generator, lambda pair: pair[0] < 10)
    a, b = _swapped(low, high, generator)
    return f"{a}×{b}={_shown(a * b)}", str(a * b % 10), level, (_item(a, b),)


def _word_problem(numbers: Numbers, generator: np.random.Generator) -> Made:
    frame = choose(numbers.frames, generator)
    low, high, level = _draw(numbers.pairs, generator)
    a, b = _swapped(low, high, generator) if frame.gains else (high, low)
    result = a + b if frame.gains else a - b
    text = tell(frame, a, b, _shown(result), generator)
    return text, str(result % 10), level, (_item(a, b), frame.item)


SKILLS: dict[str, Maker] = {
    "addition": _addition,
    "subtraction": _subtraction,
    "missing_operand": _missing,
    "counting": _counting,
    "larger": _larger,
    "sequence": _sequence,
    "product": _product,
    "word_problem": _word_problem,
}
