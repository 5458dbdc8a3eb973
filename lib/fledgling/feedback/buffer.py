"""The feedback that is kept to be trained on: at most ``capacity`` exchanges in one SQLite file.

Policy. When the buffer is full, the label that exceeds its share of the buffer most gives up an
exchange: one that was trained on already, else the one of least worth. Worth is the label's
certainty, halved with every ``half_life`` exchanges that came after it; as logarithms both are one
number that never changes, log2(certainty) + number / half_life, so an index keeps the order.

Every addition is one transaction with its counters: a process killed at any moment leaves a buffer
whose counters are exact.
"""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fledgling.core.database import Schema, connect, transaction
from fledgling.core.errors import DataError
from fledgling.core.records import Feedback
from fledgling.feedback.examples import Message
from fledgling.feedback.settings import BufferSection

SCHEMA = Schema(
    "feedback",
    (
        """
        CREATE TABLE feedback (
            id TEXT PRIMARY KEY, number INTEGER NOT NULL, times INTEGER NOT NULL DEFAULT 1,
            prompt TEXT NOT NULL, reply TEXT NOT NULL, reaction TEXT NOT NULL,
            label TEXT NOT NULL, confidence REAL NOT NULL, quality REAL NOT NULL,
            signals TEXT NOT NULL, correction TEXT NOT NULL, better TEXT NOT NULL DEFAULT '',
            history TEXT NOT NULL, worth REAL NOT NULL, training TEXT NOT NULL DEFAULT ''
        ) WITHOUT ROWID;
        CREATE INDEX feedback_by_worth ON feedback (label, training, worth);
        CREATE INDEX feedback_by_number ON feedback (training, number);
        CREATE TABLE feedback_counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL)
            WITHOUT ROWID;
        INSERT INTO feedback_counters VALUES
            ('processed', 0), ('implicit', 0), ('explicit', 0), ('trained', 0);
        CREATE TABLE feedback_trainings (
            name TEXT PRIMARY KEY, finished TEXT NOT NULL, examples INTEGER NOT NULL
        ) WITHOUT ROWID;
        """,
    ),
)
EXPLICIT = frozenset(
    {"thanks", "praise", "explicit_correction", "denial", "complaint", "ask_clarification", "redo"}
)
_FIELDS = (
    "id, number, prompt, reply, reaction, label, confidence, quality, signals, correction, better,"
    " history, training"
)


@dataclass(frozen=True)
class Entry:
    """One exchange in the buffer. ``history`` is what was said before it, ``better`` a reply that
    the user liked instead, ``training`` the name of the training that used it.
    """

    id: str
    number: int
    feedback: Feedback
    better: str = ""
    history: tuple[Message, ...] = ()
    training: str = ""


@dataclass(frozen=True)
class Counters:
    """What the buffer has seen and holds. ``processed``, ``implicit`` and ``explicit`` count every
    exchange ever added; ``positive`` … ``corrections_pending`` what is in the buffer now.
    """

    processed: int
    size: int
    positive: int
    negative: int
    neutral: int
    corrections: int
    implicit: int
    explicit: int
    corrections_pending: int
    pending: int
    last_training: str | None
    total_trained: int


class FeedbackBuffer:
    """The buffer of one store; several processes may use the same file, and several threads the
    same buffer.
    """

    def __init__(self, store: Path | str | sqlite3.Connection, section: BufferSection) -> None:
        given = isinstance(store, sqlite3.Connection)
        self.connection = store if given else connect(store, SCHEMA)
        self.section = section
        self._mutex = threading.RLock()  # a conversation and its background trainer share it

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._mutex, transaction(self.connection):
            yield

    def add(self, feedback: Feedback, *, history: Sequence[Message] = (), better: str = "") -> str:
        """Take in one exchange and return its id; the same exchange again only counts as seen."""
        with self._transaction():
            return self._add(feedback, history, better)

    def add_all(
        self, items: Iterable[tuple[Feedback, Sequence[Message], str]], *, chunk: int = 100
    ) -> int:
        """Take in (feedback, history, better) triples, ``chunk`` of them a transaction. Returns how
        many.
        """
        count, rest = 0, iter(items)
        while batch := [item for _, item in zip(range(chunk), rest, strict=False)]:
            with self._transaction():
                for item in batch:
                    self._add(*item)
            count += len(batch)
        return count

    def _add(self, feedback: Feedback, history: Sequence[Message], better: str) -> str:
        run = self.connection.execute
        kind = "explicit" if EXPLICIT.intersection(feedback.signals) else "implicit"
        run(
            "UPDATE feedback_counters SET value = value + 1 WHERE name IN ('processed', ?)", (kind,)
        )
        number = run("SELECT value FROM feedback_counters WHERE name = 'processed'").fetchone()[0]
        key = identity(feedback)
        worth = math.log2(max(feedback.confidence, 1e-6)) + number / self.section.half_life
        run(
            """
            INSERT INTO feedback (id, number, prompt, reply, reaction, label, confidence, quality,
                                  signals, correction, better, history, worth)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET times = times + 1,
                worth = max(worth, excluded.worth),
                better = CASE WHEN excluded.better <> '' THEN excluded.better ELSE better END
            """,
            (
                key,
                number,
                feedback.prompt,
                feedback.reply,
                feedback.reaction,
                feedback.label,
                feedback.confidence,
                feedback.quality,
                json.dumps(feedback.signals),
                feedback.correction,
                better,
                json.dumps(list(history), ensure_ascii=False),
                worth,
            ),
        )
        self._make_room()
        return key

    def _make_room(self) -> None:
        """Let go of exchanges until the buffer is within its capacity."""
        run = self.connection.execute
        while True:
            counts = dict(
                tuple(row) for row in run("SELECT label, count(*) FROM feedback GROUP BY label")
            )
            if sum(counts.values()) <= self.section.capacity:
                return
            shares = self.section.shares
            fullest = max(counts, key=lambda label: counts[label] / max(shares[label], 1e-9))
            run(
                """
                DELETE FROM feedback WHERE id = coalesce(
                    (SELECT id FROM feedback WHERE label = ? AND training > '' LIMIT 1),
                    (SELECT id FROM feedback WHERE label = ? AND training = ''
                     ORDER BY worth LIMIT 1))
                """,
                (fullest, fullest),
            )

    def improve(self, key: str, better: str) -> None:
        """Note a reply that the user liked where ``key``'s reply had failed."""
        self.connection.execute("UPDATE feedback SET better = ? WHERE id = ?", (better, key))

    def entries(self) -> list[Entry]:
        """All that is in the buffer, oldest first."""
        return [_entry(row) for row in self._select("1 = 1")]

    def pending(self) -> list[Entry]:
        """What no training has used yet and says something, oldest first."""
        return [_entry(row) for row in self._select("training = '' AND label <> 'neutral'")]

    def important(self) -> int:
        """How many pending exchanges are certain enough to hurry for."""
        return int(
            self.connection.execute(
                "SELECT count(*) FROM feedback WHERE training = '' AND label <> 'neutral'"
                " AND confidence >= ?",
                (self.section.important,),
            ).fetchone()[0]
        )

    def _select(self, condition: str) -> Iterator[sqlite3.Row]:
        query = f"SELECT {_FIELDS} FROM feedback WHERE {condition} ORDER BY number"
        yield from self.connection.execute(query)

    def mark_trained(self, keys: Iterable[str], training: str) -> int:
        """Note that ``training`` used these exchanges; a second call changes nothing. Returns how
        many were new to training.
        """
        run = self.connection.execute
        with self._transaction():
            known = run(
                "SELECT examples FROM feedback_trainings WHERE name = ?", (training,)
            ).fetchone()
            if known:
                return 0
            keys = list(dict.fromkeys(keys))
            for key in keys:
                run(
                    "UPDATE feedback SET training = ? WHERE id = ? AND training = ''",
                    (training, key),
                )
            finished = datetime.now(UTC).isoformat(timespec="seconds")
            run("INSERT INTO feedback_trainings VALUES (?, ?, ?)", (training, finished, len(keys)))
            run(
                "UPDATE feedback_counters SET value = value + ? WHERE name = 'trained'",
                (len(keys),),
            )
        return len(keys)

    def counters(self) -> Counters:
        """The counters, all of one moment."""
        run = self.connection.execute
        with self._transaction():
            ever = dict(tuple(row) for row in run("SELECT name, value FROM feedback_counters"))
            held = dict(
                tuple(row) for row in run("SELECT label, count(*) FROM feedback GROUP BY label")
            )
            waiting = dict(
                tuple(row)
                for row in run(
                    "SELECT label, count(*) FROM feedback WHERE training = '' GROUP BY label"
                )
            )
            last = run("SELECT max(finished) FROM feedback_trainings").fetchone()[0]
        corrections = held.get("correction", 0)
        return Counters(
            processed=ever["processed"],
            size=sum(held.values()),
            positive=held.get("positive", 0),
            negative=held.get("negative", 0) + corrections,
            neutral=held.get("neutral", 0),
            corrections=corrections,
            implicit=ever["implicit"],
            explicit=ever["explicit"],
            corrections_pending=waiting.get("correction", 0),
            pending=sum(waiting.values()) - waiting.get("neutral", 0),
            last_training=last,
            total_trained=ever["trained"],
        )


def identity(feedback: Feedback) -> str:
    """The id of an exchange: the same question, reply and corrected answer, spaces and letter case
    aside, have the same.
    """
    parts = (feedback.prompt, feedback.reply, feedback.correction)
    said = "\x1f".join(" ".join(part.casefold().split()) for part in parts)
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:20]


def _entry(row: sqlite3.Row) -> Entry:
    try:
        signals, history = json.loads(row["signals"]), json.loads(row["history"])
    except json.JSONDecodeError as error:
        raise DataError(f"exchange {row['id']} of the buffer is damaged: {error}") from error
    feedback = Feedback(
        row["label"],
        row["confidence"],
        row["prompt"],
        row["reply"],
        row["reaction"],
        row["quality"],
        tuple(signals),
        row["correction"],
    )
    return Entry(row["id"], row["number"], feedback, row["better"], tuple(history), row["training"])
