"""Votes become signed means, whatever the order they were asked in."""

import gzip
import json
from pathlib import Path

import pytest

from fledgling.core.errors import DataError
from fledgling.teachers.votes import load_preferences

ITEMS = [{"id": "x", "subset": "easy", "label": 1}, {"id": "y", "subset": "hard", "label": 2}]
VOTES = """item,model,prompt_strategy,swap,winner
x,m1,plain,False,1
x,m1,plain,True,2
x,m1,other,False,1
x,m2,plain,False,
y,m1,plain,False,2
y,m2,plain,True,2
z,m1,plain,False,1
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    items, votes = tmp_path / "items.jsonl.gz", tmp_path / "votes.csv"
    with gzip.open(items, "wt") as lines:
        lines.writelines(json.dumps(item) + "\n" for item in ITEMS)
    votes.write_text(VOTES, encoding="utf-8")
    return items, votes


def test_votes_are_averaged_over_prompts_and_orders(files: tuple[Path, Path]) -> None:
    found = load_preferences(*files)
    assert found.items == ("x", "y") and found.teachers == ("m1", "m2")
    assert found.votes.tolist() == [[pytest.approx(1 / 3), 0.0], [-1.0, -1.0]]
    assert found.truth.tolist() == [1.0, -1.0] and found.subsets.tolist() == ["easy", "hard"]


def test_prompts_can_be_chosen_or_be_teachers(files: tuple[Path, Path]) -> None:
    assert load_preferences(*files, prompts=["plain"]).votes[0, 0] == 0.0
    assert load_preferences(*files, by_prompt=True).teachers == (
        "m1 / other",
        "m1 / plain",
        "m2 / plain",
    )


def test_misfits_are_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    items, votes = files
    with pytest.raises(DataError, match="does not exist"):
        load_preferences(tmp_path / "none", votes)
    with pytest.raises(DataError, match="no vote"):
        load_preferences(items, votes, prompts=["unheard"])
    votes.write_text("item,model\n", encoding="utf-8")
    with pytest.raises(DataError, match="lacks the columns"):
        load_preferences(items, votes)
    items = tmp_path / "bad.jsonl"
    items.write_text('{"id": "x", "subset": "s", "label": 3}\n', encoding="utf-8")
    with pytest.raises(DataError, match="label of 1 or 2"):
        load_preferences(items, votes)
