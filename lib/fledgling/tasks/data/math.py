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

from fledgling.tasks.data.examples import SPLITS, TaskExample, TaskSplits, checked, split_items
from fledgling.tasks.data.word_problems import Frame, frames, tell

TASK = "math"
CLASSES = tuple("0123456789")
OBJECTS = "*#@&%"
LARGEST = 99
EFFORT = {"larger": 2, "word_problem": 2}  # skills of several steps get so many times the exercises


@dataclass(frozen=True)
class Numbers:
    """What one split may use. ``pairs``: level → (a, b) with a ≤ b; level 1 holds the pairs of
    one-digit numbers.
    """

    pairs: dict[int, list[tuple[int, int]]]
    close: dict[int, list[tuple[int, int]]]  # those with b − a < 10
    frames: list[Frame]
    counts: Callable[[str], bool]  # whether an arrangement of objects belongs to this split


Made = tuple[str, int, int, tuple[str, ...]]


def math(*, seed: int, train: int, held_out: int, shares: Sequence[float]) -> TaskSplits:
    """Arithmetic exercises, ``train`` and ``held_out`` per skill, in splits that share no pair and
    no template.

    A pair of numbers belongs to one split in every skill. Another ``seed`` gives other splits and
    other exercises.
    """
    generator = np.random.default_rng([seed, 10])
    by_split = divide_numbers(shares, generator, salt=seed)
    parts = {
        name: _part(by_split[name], train if name == "train" else held_out, generator)
        for name in SPLITS
    }
    return checked(TaskSplits(TASK, CLASSES, **parts))


def divide_numbers(
    shares: Sequence[float], generator: np.random.Generator, *, salt: int
) -> dict[str, Numbers]:
    """Every unordered pair of numbers, every template and every arrangement of objects into one
    split.
    """
    pairs = [(a, b) for b in range(LARGEST + 1) for a in range(b + 1)]
    split_of: dict[str, str] = {}
    for level in (1, 2):
        split_of |= split_items(
            [_item(*pair) for pair in pairs if _level(*pair) == level], shares, generator
        )
    for some in frames().values():
        split_of |= split_items([frame.item for frame in some], shares, generator)
    by_split = {}
    for name in SPLITS:
        mine = [pair for pair in pairs if split_of[_item(*pair)] == name]
        close = [pair for pair in mine if pair[1] - pair[0] < 10]
        by_split[name] = Numbers(
            pairs={level: [pair for pair in mine if _level(*pair) == level] for level in (1, 2)},
            close={level: [pair for pair in close if _level(*pair) == level] for level in (1, 2)},
            frames=[
                frame
                for some in frames().values()
                for frame in some
                if split_of[frame.item] == name
            ],
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


def _part(
    numbers: Numbers, per_skill: int, generator: np.random.Generator
) -> tuple[TaskExample, ...]:
    examples: list[TaskExample] = []
    for skill, make in SKILLS.items():
        texts: set[str] = set()
        wanted = per_skill * EFFORT.get(skill, 1)
        for _ in range(wanted * 30):  # exercises repeat; stop when none is new for long
            if len(texts) == wanted:
                break
            text, answer, level, items = make(numbers, generator)
            if text not in texts:
                texts.add(text)
                examples.append(TaskExample(text, TASK, skill, level, str(answer), items))
    return tuple(examples)


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
    pairs: dict[int, list[tuple[int, int]]], generator: np.random.Generator
) -> tuple[int, int, int]:
    """A pair and its level: one in five of level 1, the rest of level 2."""
    level = 1 if generator.random() < 0.2 else 2
    a, b = pairs[level][int(generator.integers(len(pairs[level])))]
    return a, b, level


def _swapped(a: int, b: int, generator: np.random.Generator) -> tuple[int, int]:
    return (b, a) if generator.integers(2) else (a, b)


def _addition(numbers: Numbers, generator: np.random.Generator) -> Made:
    low, high, level = _draw(numbers.pairs, generator)
    a, b = _swapped(low, high, generator)
    return f"{a}+{b}={_shown(a + b)}", (a + b) % 10, level, (_item(a, b),)


def _subtraction(numbers: Numbers, generator: np.random.Generator) -> Made:
    b, a, level = _draw(numbers.pairs, generator)
    return f"{a}-{b}={_shown(a - b)}", (a - b) % 10, level, (_item(a, b),)


def _missing(numbers: Numbers, generator: np.random.Generator) -> Made:
    a, c, level = _draw(numbers.close, generator)
    text = (f"{a}+_={c}", f"_+{a}={c}", f"{c}-_={a}")[int(generator.integers(3))]
    return text, c - a, level, (_item(a, c),)


def _counting(numbers: Numbers, generator: np.random.Generator) -> Made:
    """How often one object occurs among up to twelve."""
    one, other = (str(thing) for thing in generator.permutation(list(OBJECTS))[:2])
    count, extra = int(generator.integers(10)), int(generator.integers(1, 4))
    objects = "".join(generator.permutation([one] * count + [other] * extra))
    if not numbers.counts(objects):
        return _counting(numbers, generator)
    return f"how many {one} in {objects}", count, 1 + count // 4, (objects,)


def _larger(numbers: Numbers, generator: np.random.Generator) -> Made:
    """Level 3: both numbers have the same tens, so that the ones decide."""
    wanted = 1 + int(generator.choice(3, p=(0.2, 0.5, 0.3)))
    pairs = (numbers.close if wanted == 3 else numbers.pairs)[min(wanted, 2)]
    while True:
        low, high = pairs[int(generator.integers(len(pairs)))]
        if low != high and (wanted != 3 or low // 10 == high // 10):
            break
    a, b = _swapped(low, high, generator)
    return f"larger of {a} and {b} ends in", high % 10, wanted, (_item(a, b),)


def _sequence(numbers: Numbers, generator: np.random.Generator) -> Made:
    """Three numbers at one distance, up or down; the fourth is asked for."""
    while True:
        low, high, level = _draw(numbers.close, generator)
        one, two = _swapped(low, high, generator)
        following = one + 3 * (two - one)
        if one != two and 0 <= following <= LARGEST:
            break
    return (
        f"{one} {two} {2 * two - one} {_shown(following)}",
        following % 10,
        level,
        (_item(one, two),),
    )


def _product(numbers: Numbers, generator: np.random.Generator) -> Made:
    """One factor has one digit."""
    while True:
        low, high, level = _draw(numbers.pairs, generator)
        if low < 10:
            break
    a, b = _swapped(low, high, generator)
    return f"{a}×{b}={_shown(a * b)}", a * b % 10, level, (_item(a, b),)


def _word_problem(numbers: Numbers, generator: np.random.Generator) -> Made:
    frame = numbers.frames[int(generator.integers(len(numbers.frames)))]
    low, high, level = _draw(numbers.pairs, generator)
    a, b = _swapped(low, high, generator) if frame.gains else (high, low)
    result = a + b if frame.gains else a - b
    text = tell(frame, a, b, _shown(result), generator)
    return text, result % 10, level, (_item(a, b), frame.item)


SKILLS: dict[str, Callable[[Numbers, np.random.Generator], Made]] = {
    "addition": _addition,
    "subtraction": _subtraction,
    "missing_operand": _missing,
    "counting": _counting,
    "larger": _larger,
    "sequence": _sequence,
    "product": _product,
    "word_problem": _word_problem,
}
