"""Classification tasks over short texts: one example, its splits by item, and tasks of your own
from JSONL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from fledgling.core.errors import DataError
from fledgling.core.files import read_jsonl

SPLITS = ("train", "validation", "test")
REQUIRED = ("text", "task", "skill", "level", "answer")
# Some skills have fewer different exercises than are asked for: so many repeats in a row, and the
# rest is not worth looking for.
PATIENCE = 400

Option = TypeVar("Option")
Stock = TypeVar("Stock")


@dataclass(frozen=True)
class TaskExample:
    """One exercise. ``items`` are the things it is about (words, operand pair, template): the unit
    of splitting.
    """

    text: str
    task: str
    skill: str
    level: int
    answer: str
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class TaskSplits:
    """One task's examples in three parts that share no item, and the answers that are possible, in
    order.
    """

    task: str
    classes: tuple[str, ...]
    train: tuple[TaskExample, ...]
    validation: tuple[TaskExample, ...]
    test: tuple[TaskExample, ...]

    def parts(self) -> dict[str, tuple[TaskExample, ...]]:
        """The examples by split name, in the order train, validation, test."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


def split_items(
    items: Sequence[str], shares: Sequence[float], generator: np.random.Generator
) -> dict[str, str]:
    """Item → split name, shuffled; ``shares`` are those of validation and test, the rest is for
    training.

    >>> parts = split_items(list("abcdefghij"), (0.1, 0.2), np.random.default_rng(0))
    >>> sorted(parts.values()).count("test")
    2
    """
    unique = sorted(set(items))
    order = generator.permutation(len(unique))
    validation, test = (max(1, round(share * len(unique))) if share else 0 for share in shares)
    if validation + test >= len(unique):
        raise DataError(
            f"{len(unique)} items are too few for shares {tuple(shares)} and a training part; "
            "give more items or smaller shares"
        )
    names = ["validation"] * validation + ["test"] * test
    names += ["train"] * (len(unique) - len(names))
    return {unique[place]: name for place, name in zip(order, names, strict=True)}


def shared_items(splits: TaskSplits) -> set[str]:
    """The items that occur in more than one split: empty where memorising cannot pass."""
    seen: set[str] = set()
    both: set[str] = set()
    for part in splits.parts().values():
        items = {item for example in part for item in example.items}
        both |= seen & items
        seen |= items
    return both


def choose(
    options: Sequence[Option],
    generator: np.random.Generator,
    fits: Callable[[Option], bool] = lambda option: True,
) -> Option:
    """One of the options that ``fits``; most should, so that drawing again is quicker than looking
    all of them through.
    """
    while True:
        option = options[int(generator.integers(len(options)))]
        if fits(option):
            return option


Made = tuple[str, str, int, tuple[str, ...]]  # text, answer, level, items
Maker = Callable[[Stock, np.random.Generator], Made]


def practise(
    task: str,
    makers: Mapping[str, Maker],
    stock: Stock,
    wanted: Mapping[str, int],
    generator: np.random.Generator,
) -> tuple[TaskExample, ...]:
    """Up to ``wanted`` different exercises of each skill, made from what one split may use."""
    examples: list[TaskExample] = []
    for skill, make in makers.items():
        texts: set[str] = set()
        vain = 0
        while len(texts) < wanted[skill] and vain < PATIENCE:
            text, answer, level, items = make(stock, generator)
            vain = vain + 1 if text in texts else 0
            if not vain:
                texts.add(text)
                examples.append(TaskExample(text, task, skill, level, answer, items))
    return tuple(examples)


def read_tasks(path: Path, *, shares: Sequence[float], seed: int) -> dict[str, TaskSplits]:
    """Tasks from a JSONL file, one example a line: ``text task skill level answer``, optional
    ``item`` and ``split``.

    Without ``split`` the items are divided by ``shares`` (validation, test); an example without
    ``item`` is its own. Raises ``DataError`` with file and line for a broken line, and when a given
    split shares an item with another.
    """
    rows = list(read_jsonl(path))
    if not rows:
        raise DataError(
            f"{path} holds no examples; write one JSON object a line with the keys"
            f" {', '.join(REQUIRED)}"
        )
    examples = [_example(path, number, row) for number, row in rows]
    given = [row.get("split") for _, row in rows]
    if any(given) and not all(given):
        number = rows[given.index(None)][0]
        raise DataError(
            f"{path} line {number} has no 'split' though other lines have; give it to all lines or"
            " to none"
        )
    divided = {}
    for task in sorted({example.task for example in examples}):
        mine = [pair for pair in zip(examples, given, strict=True) if pair[0].task == task]
        if not all(given):
            # Each task by itself, so that adding a task to a file leaves the others alone.
            mine = _divide([example for example, _ in mine], shares, np.random.default_rng(seed))
        parts = {name: tuple(one for one, split in mine if split == name) for name in SPLITS}
        classes = tuple(sorted({example.answer for example, _ in mine}))
        divided[task] = checked(TaskSplits(task, classes, **parts))
    return divided


def _divide(
    examples: Sequence[TaskExample], shares: Sequence[float], generator: np.random.Generator
) -> list[tuple[TaskExample, str | None]]:
    items = [item for example in examples for item in example.items]
    split_of = split_items(items, shares, generator)
    splits = [{split_of[item] for item in example.items} for example in examples]
    # An example whose items went to two splits has no place in either.
    names = [found.pop() if len(found) == 1 else None for found in splits]
    return list(zip(examples, names, strict=True))


def _example(path: Path, number: int, row: Mapping[str, Any]) -> TaskExample:
    place = f"{path} line {number}"
    missing = [key for key in REQUIRED if key not in row]
    if missing:
        raise DataError(
            f"{place} lacks {', '.join(map(repr, missing))}; each line needs {', '.join(REQUIRED)}"
        )
    text, answer, level = row["text"], row["answer"], row["level"]
    if not isinstance(text, str) or not text.strip():
        raise DataError(
            f"{place} has text {text!r}; it must be a string with at least one character"
        )
    if isinstance(answer, bool) or not isinstance(answer, str | int) or not str(answer).strip():
        raise DataError(f"{place} has answer {answer!r}; it must be a string or a whole number")
    if isinstance(level, bool) or not isinstance(level, int) or level < 1:
        raise DataError(f"{place} has level {level!r}; it must be a whole number from 1")
    if row.get("split", "train") not in SPLITS:
        raise DataError(f"{place} has split {row['split']!r}; allowed are {', '.join(SPLITS)}")
    item = row.get("item", text)
    items = tuple(map(str, item)) if isinstance(item, list) else (str(item),)
    return TaskExample(text, str(row["task"]), str(row["skill"]), level, str(answer), items)


def checked(splits: TaskSplits) -> TaskSplits:
    """The same splits, or ``DataError`` when one is empty, has one class only, or shares an item
    with another.
    """
    for name, part in splits.parts().items():
        if not part:
            raise DataError(
                f"task {splits.task!r} has no {name} example; give more items, or lines with that"
                " split"
            )
    if len(splits.classes) < 2:
        raise DataError(
            f"task {splits.task!r} has {len(splits.classes)} class; at least two answers must"
            " differ"
        )
    both = sorted(shared_items(splits))
    if both:
        raise DataError(
            f"task {splits.task!r} has {len(both)} items in more than one split, for example"
            f" {both[0]!r}; move each item into one split, so that memorising cannot pass"
        )
    return splits
