"""Correction memory, the instant tier: what the user put right stands in the next prompt.

A correction is stored at once, found by meaning, superseded by a newer one to the same question,
and, once the weights answer rightly without it, marked consolidated and no longer injected.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fledgling.core.answers import contains
from fledgling.core.database import Schema, connect, transaction
from fledgling.core.errors import DataError
from fledgling.feedback.judging.signals import Embeds
from fledgling.memory.settings import CorrectionsSection

SCHEMA = Schema(
    "corrections",
    (
        """
        CREATE TABLE corrections (
            number INTEGER PRIMARY KEY, question TEXT NOT NULL, answer TEXT NOT NULL,
            wrong TEXT NOT NULL, vector BLOB NOT NULL, superseded INTEGER,
            consolidated INTEGER NOT NULL DEFAULT 0
        );
        CREATE INDEX corrections_live ON corrections (superseded, consolidated);
        """,
    ),
)


@dataclass(frozen=True)
class StoredCorrection:
    """A question with its right answer; ``similarity`` to what was just asked."""

    number: int
    question: str
    answer: str
    similarity: float = 1.0


class CorrectionMemory:
    """The corrections of one store. The live ones are held in memory as unit vectors, so that a
    look-up is one matrix product.
    """

    def __init__(
        self, store: Path | str | sqlite3.Connection, embedder: Embeds, section: CorrectionsSection
    ) -> None:
        given = isinstance(store, sqlite3.Connection)
        self.connection = store if given else connect(store, SCHEMA)
        self.embedder, self.section = embedder, section
        self._load()

    def close(self) -> None:
        self.connection.close()

    def _load(self) -> None:
        rows = self.connection.execute(
            "SELECT number, question, answer, vector FROM corrections"
            " WHERE superseded IS NULL AND NOT consolidated ORDER BY number"
        ).fetchall()
        self._live = [StoredCorrection(*tuple(row)[:3]) for row in rows]
        vectors = [np.frombuffer(row["vector"], dtype=np.float32) for row in rows]
        self._vectors = np.stack(vectors) if vectors else np.zeros((0, 0), dtype=np.float32)

    def store(self, question: str, answer: str, wrong: str = "") -> StoredCorrection:
        """Keep a correction; it supersedes earlier ones to the same question. Raises ``DataError``
        for an empty one.
        """
        if not question.strip() or not answer.strip():
            raise DataError("a correction needs a question and a right answer, both with words")
        vector = self.embedder.embed([question])[0].astype(np.float32)
        old = self._near(vector)
        with transaction(self.connection):
            run = self.connection.execute
            number = run(
                "INSERT INTO corrections (question, answer, wrong, vector) VALUES (?, ?, ?, ?)",
                (question, answer, wrong, vector.tobytes()),
            ).lastrowid
            for one in old:
                run("UPDATE corrections SET superseded = ? WHERE number = ?", (number, one.number))
            run(
                "DELETE FROM corrections WHERE number <= (SELECT max(number) FROM corrections) - ?",
                (self.section.capacity,),
            )
        self._load()
        return StoredCorrection(number, question, answer)

    def recall(self, question: str) -> list[StoredCorrection]:
        """The live corrections that concern a question, the nearest first."""
        if not self._live or not question.strip():
            return []
        found = self._near(self.embedder.embed([question])[0].astype(np.float32))
        return found[: self.section.injected]

    def _near(self, vector: np.ndarray) -> list[StoredCorrection]:
        if not self._live:
            return []
        scores = self._vectors @ vector  # (N,)
        order = [int(place) for place in np.argsort(-scores) if scores[place] >= self.section.near]
        return [
            StoredCorrection(one.number, one.question, one.answer, float(scores[place]))
            for place in order
            for one in [self._live[place]]
        ]

    def injected(self, question: str) -> str:
        """What to put into the system prompt before answering ``question``; "" for nothing."""
        said = [
            self.section.template.format(question=one.question, answer=one.answer)
            for one in self.recall(question)
        ]
        return "\n".join(said)

    def consolidate(self, answer: Callable[[list[str]], list[str]]) -> int:
        """Ask every live question without its correction; those answered rightly are marked and no
        longer injected. Returns how many.
        """
        live = list(self._live)
        if not live:
            return 0
        said = answer([one.question for one in live])
        known = [
            one.number for one, text in zip(live, said, strict=True) if contains(text, [one.answer])
        ]
        with transaction(self.connection):
            for number in known:
                self.connection.execute(
                    "UPDATE corrections SET consolidated = 1 WHERE number = ?", (number,)
                )
        self._load()
        return len(known)

    def counts(self) -> dict[str, int]:
        """How many corrections are live, consolidated and superseded."""
        row = self.connection.execute(
            "SELECT coalesce(sum(superseded IS NULL AND NOT consolidated), 0),"
            " coalesce(sum(superseded IS NULL AND consolidated), 0),"
            " coalesce(sum(superseded IS NOT NULL), 0) FROM corrections"
        ).fetchone()
        return dict(zip(("live", "consolidated", "superseded"), map(int, row), strict=True))
