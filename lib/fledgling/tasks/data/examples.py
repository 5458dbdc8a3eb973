"""Classification tasks over short texts: one example, its splits by item, and tasks of your own
from JSONL.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fledgling.core.errors import DataError
from fledgling.core.files import read_jsonl, write_text

SPLITS = ("train", "validation", "test")
REQUIRED = ("text", "task", "skill", "level", "answer")


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
    seen = {
        name: {item for example in part for item in example.items}
        for name, part in splits.parts().items()
    }
    return (
        (seen["train"] & seen["validation"])
        | (seen["train"] & seen["test"])
        | (seen["validation"] & seen["test"])
    )


def read_tasks(path: Path, *, shares: Sequence[float], seed: int) -> dict[str, TaskSplits]:
    """Tasks from a JSONL file, one example a line: ``text task skill level answer``, optional
    ``item`` and ``split``.

    Without ``split`` the items are divided by ``shares`` (validation, test); an example without
    ``item`` is its own. Raises ``DataError`` with file and line for a broken line, and when a given
    split shares an item with another.
    """
    rows = [(number, row) for number, row in read_jsonl(path)]
    if not rows:
        raise DataError(
            f"{path} holds no examples; write one JSON object a line with the keys"
            f" {', '.join(REQUIRED)}"
        )
    examples = [_example(path, number, row) for number, row in rows]
    given = ["split" in row for _, row in rows]
    if any(given) and not all(given):
        number = rows[given.index(False)][0]
        raise DataError(
            f"{path} line {number} has no 'split' though other lines have; give it to all lines or"
            " to none"
        )
    names = [str(row["split"]) for _, row in rows] if all(given) else None
    tasks = sorted({example.task for example in examples})
    return {task: _split_task(task, examples, names, shares, seed) for task in tasks}


def write_tasks(path: Path, tasks: Mapping[str, TaskSplits]) -> None:
    """Write tasks as JSONL that ``read_tasks`` reads back, splits included."""
    lines = []
    for splits in tasks.values():
        for name, part in splits.parts().items():
            for example in part:
                row = {key: getattr(example, key) for key in REQUIRED}
                lines.append(
                    json.dumps(
                        {**row, "item": list(example.items), "split": name}, ensure_ascii=False
                    )
                )
    write_text(path, "\n".join(lines) + "\n")


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


def _split_task(
    task: str,
    examples: Sequence[TaskExample],
    names: Sequence[str] | None,
    shares: Sequence[float],
    seed: int,
) -> TaskSplits:
    mine = [place for place, example in enumerate(examples) if example.task == task]
    if names is None:
        split_of = _split_of_items([examples[place] for place in mine], shares, seed)
        assigned = [_split_of(examples[place], split_of) for place in mine]
    else:
        assigned = [names[place] for place in mine]
    parts = {
        name: tuple(
            examples[place] for place, where in zip(mine, assigned, strict=True) if where == name
        )
        for name in SPLITS
    }
    classes = tuple(sorted({examples[place].answer for place in mine}))
    splits = TaskSplits(task, classes, **parts)
    return checked(splits)


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


def _split_of_items(
    examples: Iterable[TaskExample], shares: Sequence[float], seed: int
) -> dict[str, str]:
    items = [item for example in examples for item in example.items]
    return split_items(items, shares, np.random.default_rng(seed))


def _split_of(example: TaskExample, split_of: Mapping[str, str]) -> str | None:
    """The split all items of the example belong to; None where they are divided, and the example is
    left out.
    """
    names = {split_of[item] for item in example.items}
    return names.pop() if len(names) == 1 else None
