"""The project's labelled conversations: each user turn after the first is labelled by what it shows
about the reply before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fledgling.core.errors import DataError
from fledgling.core.files import read_jsonl
from fledgling.core.paths import DATA
from fledgling.feedback.judging.signals import Exchange

FOLDER = DATA / "feedback"
HARD = FOLDER / "dialogues_hard.jsonl"
LABELS = ("correction", "negative", "neutral", "positive")
TRAIN, VALIDATION, HELD_OUT = "train", "validation", "held_out"


@dataclass(frozen=True)
class Labelled:
    """An exchange with its label, the answers accepted for a correction, and where it comes
    from. ``better`` is the reply that followed, and ``liked`` whether the turn after that was
    positive.
    """

    exchange: Exchange
    label: str
    answers: tuple[str, ...] = ()
    dialogue: str = ""
    split: str = TRAIN
    history: tuple[tuple[str, str], ...] = ()
    better: str = ""
    liked: bool = False


def read_dialogues(split: str, path: Path = FOLDER / "dialogues.jsonl") -> list[Labelled]:
    """The labelled turns of the dialogues of one split, in order. Raises ``DataError`` naming the
    line and what is wrong with it.
    """
    labelled: list[Labelled] = []
    for number, row in read_jsonl(path):
        try:
            if row["split"] == split:
                labelled += _turns(row)
        except (KeyError, TypeError, IndexError) as error:
            raise DataError(
                f"{path} line {number} lacks {error}; a dialogue has id, split and turns with user,"
                " reply and, from the second on, label"
            ) from error
    return labelled


def _turns(row: Mapping[str, Any]) -> list[Labelled]:
    turns = row["turns"]
    labelled = []
    for place in range(1, len(turns)):
        before, turn = turns[place - 1], turns[place]
        if turn["label"] not in LABELS:
            raise DataError(
                f"dialogue {row['id']!r}: label {turn['label']!r} is not known; allowed are"
                f" {', '.join(LABELS)}"
            )
        after = turns[place + 1] if place + 1 < len(turns) else {}
        labelled.append(
            Labelled(
                Exchange(before["user"], before["reply"], turn["user"]),
                turn["label"],
                tuple(turn.get("correction", ())),
                row["id"],
                row["split"],
                tuple((past["user"], past["reply"]) for past in turns[: place - 1]),
                turn.get("reply", ""),
                after.get("label") == "positive",
            )
        )
    return labelled


def read_exchanges(path: Path = FOLDER / "exchanges.jsonl") -> list[Labelled]:
    """Single labelled exchanges, for training alone."""
    return [
        Labelled(
            Exchange(row["prompt"], row["reply"], row["reaction"]),
            row["label"],
            tuple(row.get("correction", ())),
            f"exchange-{number}",
        )
        for number, row in read_jsonl(path)
    ]


def read_corrections(split: str, path: Path = FOLDER / "corrections.jsonl") -> list[Labelled]:
    """Single corrections of one split, ``TRAIN`` or ``VALIDATION``. They teach how an answer is
    given, not how often turns correct, so only the ranker of answers is fitted on them.
    """
    return [
        Labelled(
            Exchange(row["prompt"], row["reply"], row["reaction"]),
            row["label"],
            tuple(row["correction"]),
            f"correction-{number}",
            row["split"],
        )
        for number, row in read_jsonl(path)
        if row["split"] == split
    ]
