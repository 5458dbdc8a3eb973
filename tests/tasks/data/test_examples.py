"""Tasks of one's own: read, divided by item, refused where they are broken."""

import json
from pathlib import Path

import numpy as np
import pytest

from fledgling.core.errors import DataError
from fledgling.tasks.data.examples import (
    TaskExample,
    TaskSplits,
    checked,
    choose,
    practise,
    read_tasks,
    shared_items,
    split_items,
)

SHARES = (0.2, 0.2)


def line(**changes: object) -> str:
    row = {
        "text": "red apple",
        "task": "colour",
        "skill": "first",
        "level": 1,
        "answer": "red",
    } | changes
    return json.dumps({key: value for key, value in row.items() if value is not None})


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def many(task: str, answers: list[str], count: int = 20) -> list[str]:
    return [
        line(text=f"{task} thing {number}", task=task, answer=answers[number % len(answers)])
        for number in range(count)
    ]


def test_any_number_of_tasks_and_classes(tmp_path: Path) -> None:
    lines = (
        many("colour", ["red", "blue"])
        + many("size", ["s", "m", "l", "xl"])
        + many("shape", ["round", "flat"])
    )
    tasks = read_tasks(write(tmp_path / "own.jsonl", lines), shares=SHARES, seed=0)
    assert {task: splits.classes for task, splits in tasks.items()} == {
        "colour": ("blue", "red"),
        "shape": ("flat", "round"),
        "size": ("l", "m", "s", "xl"),
    }
    assert [len(part) for part in tasks["size"].parts().values()] == [12, 4, 4]


def test_another_seed_gives_another_test(tmp_path: Path) -> None:
    path = write(tmp_path / "own.jsonl", many("colour", ["red", "blue"], 60))
    one, two = (read_tasks(path, shares=SHARES, seed=seed)["colour"] for seed in (0, 1))
    assert {example.text for example in one.test} != {example.text for example in two.test}


def test_examples_of_one_item_stay_together(tmp_path: Path) -> None:
    lines = [
        line(text=f"{word} {number}", item=word, answer="ab"[number % 2])
        for word in map(str, range(10))
        for number in range(4)
    ]
    splits = read_tasks(write(tmp_path / "own.jsonl", lines), shares=SHARES, seed=0)["colour"]
    assert shared_items(splits) == set()
    assert len(splits.test) == 8


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("{", "line 2 is not valid JSON"),
        ("[1]", "holds a list"),
        (line(text=""), "text ''"),
        (line(text=7), "text 7"),
        (line(answer=None), "lacks 'answer'"),
        (line(answer=True), "answer True"),
        (line(answer=1.5), "answer 1.5"),
        (line(level=0), "level 0"),
        (line(level="2"), "level '2'"),
        (line(split="dev"), "split 'dev'"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, broken: str, message: str) -> None:
    path = write(tmp_path / "own.jsonl", [line(), broken, *many("colour", ["red", "blue"])])
    with pytest.raises(DataError, match=message) as caught:
        read_tasks(path, shares=SHARES, seed=0)
    assert "own.jsonl" in str(caught.value)


def test_a_given_split_that_shares_an_item_is_refused(tmp_path: Path) -> None:
    lines = [
        line(
            text=f"t{number}",
            answer="ab"[number % 2],
            item=str(number // 2),
            split=("train", "validation", "test")[number % 3],
        )
        for number in range(12)
    ]
    with pytest.raises(DataError, match="items in more than one split"):
        read_tasks(write(tmp_path / "own.jsonl", lines), shares=SHARES, seed=0)


def test_split_must_be_given_to_all_or_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 2 has no 'split'"):
        read_tasks(
            write(tmp_path / "own.jsonl", [line(split="train"), line()]), shares=SHARES, seed=0
        )


@pytest.mark.parametrize(
    "lines", [[], [line()], many("colour", ["red"]), many("colour", ["red", "blue"], 2)]
)
def test_too_little_data_is_refused(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(DataError):
        read_tasks(write(tmp_path / "own.jsonl", lines), shares=SHARES, seed=0)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_tasks(tmp_path / "none.jsonl", shares=SHARES, seed=0)


def test_shares_are_of_the_items() -> None:
    names = list(
        split_items(
            [str(number) for number in range(100)], (0.1, 0.25), np.random.default_rng(0)
        ).values()
    )
    assert [names.count(name) for name in ("train", "validation", "test")] == [65, 10, 25]


def test_an_item_in_two_splits_is_found() -> None:
    parts = [
        tuple(
            TaskExample(f"{name}{number}", "t", "s", 1, "ab"[number], (item,))
            for number in range(2)
        )
        for name, item in (("a", "x"), ("b", "y"), ("c", "x"))
    ]
    splits = TaskSplits("t", ("a", "b"), *parts)
    assert shared_items(splits) == {"x"}
    with pytest.raises(DataError, match="'x'"):
        checked(splits)


def test_a_given_split_is_kept(tmp_path: Path) -> None:
    lines = [
        line(text=f"t{number}", answer="ab"[number % 2], split=split)
        for number, split in enumerate(["train"] * 4 + ["validation"] * 2 + ["test"] * 2)
    ]
    splits = read_tasks(write(tmp_path / "own.jsonl", lines), shares=(0.4, 0.4), seed=9)["colour"]
    assert [len(part) for part in splits.parts().values()] == [4, 2, 2]
    assert [one.text for one in splits.test] == ["t6", "t7"]


def test_practice_stops_where_nothing_is_new() -> None:
    def digit(stock: int, generator: np.random.Generator):
        number = int(generator.integers(stock))
        return f"say {number}", str(number), 1, (str(number),)

    made = practise(
        "t", {"few": digit, "one": digit}, 10, {"few": 50, "one": 1}, np.random.default_rng(0)
    )
    assert sorted(one.answer for one in made if one.skill == "few") == list("0123456789")
    assert sum(one.skill == "one" for one in made) == 1


def test_choosing_among_those_that_fit() -> None:
    generator = np.random.default_rng(0)
    assert {choose("abc", generator, lambda one: one != "b") for _ in range(30)} == {"a", "c"}
