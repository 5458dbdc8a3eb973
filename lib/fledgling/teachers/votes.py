"""Votes of several judges on which of two outputs is better, with the right answer known (LLMBar's
layout).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fledgling.core.errors import DataError

_COLUMNS = ("item", "model", "prompt_strategy", "swap", "winner")


@dataclass(frozen=True)
class Preferences:
    """``votes`` (N, T) in -1..1: +1 where a judge always chose output 1, averaged over its prompts
    and both orders.

    ``truth`` (N,) is +1 where output 1 is better, -1 where output 2 is.
    """

    items: tuple[str, ...]
    subsets: np.ndarray
    teachers: tuple[str, ...]
    votes: np.ndarray
    truth: np.ndarray


def load_preferences(
    items: Path, votes: Path, *, prompts: Sequence[str] = (), by_prompt: bool = False
) -> Preferences:
    """Read items (JSONL: id, subset, label 1 or 2) and votes (CSV: item, model, prompt_strategy,
    swap, winner).

    ``winner`` names the item's own output 1 or 2 whatever order it was shown in; anything else is
    no vote. ``prompts`` keeps only those strategies; ``by_prompt`` makes each model and strategy a
    teacher of its own. Raises ``DataError`` where a column is missing or nothing matches.
    """
    gold = {row["id"]: row for row in _rows(items)}
    table = _table(votes)
    if prompts:
        table = table[table["prompt_strategy"].isin(list(prompts))]
    table = table[table["item"].isin(gold)]
    if table.empty:
        raise DataError(
            f"no vote of {votes} is on an item of {items} with the prompts"
            f" {list(prompts) or 'there are'}"
        )
    table = table.assign(
        sign=table["winner"].map({1: 1.0, 2: -1.0}).fillna(0.0),
        teacher=table["model"] + (" / " + table["prompt_strategy"] if by_prompt else ""),
    )
    matrix = table.groupby(["item", "teacher"])["sign"].mean().unstack("teacher").fillna(0.0)
    order = [name for name in gold if name in matrix.index]
    matrix = matrix.loc[order]
    return Preferences(
        tuple(order),
        np.array([gold[name]["subset"] for name in order]),
        tuple(matrix.columns),
        matrix.to_numpy(),
        np.array([1.0 if gold[name]["label"] == 1 else -1.0 for name in order]),
    )


def shared_prompts(votes: Path) -> list[str]:
    """The prompt strategies by which every judge was asked about every item."""
    table = _table(votes)
    asked = table.groupby("prompt_strategy")[["model", "item"]].nunique()
    whole = (asked["model"] == table["model"].nunique()) & (
        asked["item"] == table["item"].nunique()
    )
    return sorted(asked.index[whole])


def _rows(path: Path) -> list[dict]:
    if not path.is_file():
        raise DataError(f"{path} does not exist; give a JSONL file of items, .gz or not")
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
        try:
            rows = [json.loads(line) for line in lines if line.strip()]
        except ValueError as error:
            raise DataError(f"{path} is not JSONL: {error}") from error
    if not all(row.get("label") in (1, 2) and "id" in row and "subset" in row for row in rows):
        raise DataError(f"{path}: every item needs id, subset and a label of 1 or 2")
    return rows


def _table(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise DataError(f"{path} does not exist; give a CSV file of votes, .gz or not")
    table = pd.read_csv(path)
    missing = [column for column in _COLUMNS if column not in table.columns]
    if missing:
        raise DataError(f"{path} lacks the columns {missing}; it needs {list(_COLUMNS)}")
    return table
