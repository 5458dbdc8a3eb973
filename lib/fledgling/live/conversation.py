"""What a session keeps beside its facts: what was said, when facts were told, what was refused, and
lessons that were noted and are not yet learned.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from fledgling.core.database import Schema, connect, transaction
from fledgling.core.records import Fact, Turn
from fledgling.live.worker import Lesson

SCHEMA = Schema(
    "live",
    (
        """
        CREATE TABLE messages (number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL,
            role TEXT NOT NULL, text TEXT NOT NULL, question TEXT NOT NULL, source TEXT NOT NULL,
            probability REAL NOT NULL, nearest TEXT);
        CREATE TABLE told (fact TEXT PRIMARY KEY, at TEXT NOT NULL, words TEXT NOT NULL,
            statement TEXT NOT NULL, object TEXT NOT NULL);
        CREATE TABLE refused (fact TEXT NOT NULL, words TEXT NOT NULL, question TEXT NOT NULL,
            UNIQUE (fact, question));
        CREATE TABLE lessons (number INTEGER PRIMARY KEY AUTOINCREMENT, recipe TEXT NOT NULL,
            turn TEXT NOT NULL, taught INTEGER NOT NULL);
        """,
    ),
)


@dataclass(frozen=True)
class Message:
    """One line of the conversation. ``role`` is user, model or notice. A reply names the
    ``question`` that it answers, its ``source`` (base, prompt, shared, or a fact's id), and the
    gate's probability for the ``nearest`` fact.
    """

    role: str
    text: str
    question: str = ""
    source: str = ""
    probability: float = 0.0
    nearest: str | None = None
    number: int = 0
    at: str = ""


@dataclass(frozen=True)
class Told:
    """When and by which words a fact was taught."""

    fact: str
    at: str
    words: str
    statement: str
    object: str


class Conversation:
    """The tables, in a file of their own: a lesson that is broken off takes no message with it."""

    def __init__(self, path: Path | str, remembered: int) -> None:
        self.path, self.remembered = path, remembered
        self.connection = connect(path, SCHEMA)
        self.connection.execute("PRAGMA secure_delete = ON")
        self._mutex = threading.RLock()  # replies and lessons write from threads of their own

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._mutex, transaction(self.connection) as connection:
            yield connection

    def close(self) -> None:
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.connection.close()

    # What was said

    def add(self, message: Message) -> Message:
        """Keep a message; the oldest go. Returns it with number and time."""
        values = (message.role, message.text, message.question, message.source)
        route = (message.probability, message.nearest)
        with self._writing() as connection:
            number = connection.execute(
                "INSERT INTO messages (at, role, text, question, source, probability, nearest)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (_now(), *values, *route),
            ).lastrowid
            limit = (number - self.remembered,)
            connection.execute("DELETE FROM messages WHERE number <= ?", limit)
            row = connection.execute("SELECT * FROM messages WHERE number = ?", (number,))
            return Message(**dict(row.fetchone()))

    def messages(self, count: int) -> list[Message]:
        """The last ``count`` messages, oldest first."""
        rows = self.connection.execute(
            "SELECT * FROM messages ORDER BY number DESC LIMIT ?", (count,)
        ).fetchall()
        return [Message(**dict(row)) for row in reversed(rows)]

    def reply(self, number: int | None = None) -> Message | None:
        """The reply of that number, or the newest."""
        rows = self.connection.execute(
            "SELECT * FROM messages WHERE role = 'model' AND (? IS NULL OR number = ?)"
            " ORDER BY number DESC LIMIT 1",
            (number, number),
        ).fetchall()
        return Message(**dict(rows[0])) if rows else None

    # When facts were told

    def tell(self, fact: Fact) -> None:
        """Note that a fact was taught now, by these words."""
        words = (fact.text, fact.statement, fact.object)
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO told VALUES (?, ?, ?, ?, ?) ON CONFLICT (fact) DO UPDATE SET at ="
                " excluded.at, words = excluded.words",
                (fact.id, _now(), *words),
            )

    def told(self, fact_id: str) -> Told | None:
        """When a fact was taught, None where no one noted it."""
        row = self.connection.execute("SELECT * FROM told WHERE fact = ?", (fact_id,)).fetchone()
        return Told(**dict(row)) if row else None

    def all_told(self) -> list[Told]:
        """Every fact that was ever taught here and not forgotten, oldest first."""
        rows = self.connection.execute("SELECT * FROM told ORDER BY at, rowid").fetchall()
        return [Told(**dict(row)) for row in rows]

    # "Not about that"

    def refuse(self, fact_id: str, words: str, question: str) -> None:
        """Note that ``question`` does not concern a fact; ``words`` is the fact as the gate reads
        it.
        """
        with self._writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO refused VALUES (?, ?, ?)", (fact_id, words, question)
            )

    def refusals(self) -> list[tuple[str, str]]:
        """(fact as the gate reads it, question) of each refusal."""
        rows = self.connection.execute("SELECT words, question FROM refused ORDER BY rowid")
        return [(row["words"], row["question"]) for row in rows]

    # Lessons to come

    def note(self, lesson: Lesson, recipe: str) -> Lesson:
        """Keep a lesson until it is learned. Returns it with its number."""
        turn = json.dumps(asdict(lesson.turn))
        with self._writing() as connection:
            number = connection.execute(
                "INSERT INTO lessons (recipe, turn, taught) VALUES (?, ?, ?)",
                (recipe, turn, lesson.taught),
            ).lastrowid
        return Lesson(lesson.turn, lesson.taught, number)

    def lessons(self, recipe: str) -> list[Lesson]:
        """The lessons not yet learned, oldest first."""
        rows = self.connection.execute(
            "SELECT * FROM lessons WHERE recipe = ? ORDER BY number", (recipe,)
        )
        return [
            Lesson(Turn(**json.loads(row["turn"])), bool(row["taught"]), row["number"])
            for row in rows
        ]

    def learned(self, number: int) -> None:
        """A lesson is over, one way or the other."""
        with self._writing() as connection:
            connection.execute("DELETE FROM lessons WHERE number = ?", (number,))

    # Forgetting

    def forget(self, fact_id: str, traces: Sequence[str]) -> int:
        """Let nothing that holds one of ``traces`` stay, nor what was said about the fact. Returns
        how many messages went.
        """
        gone = 0
        with self._writing() as connection:
            for row in connection.execute("SELECT * FROM messages").fetchall():
                about = fact_id in (row["source"], row["nearest"])
                if about or holds(f"{row['text']}\n{row['question']}", traces):
                    connection.execute("DELETE FROM messages WHERE number = ?", (row["number"],))
                    gone += 1
                    if about:  # the question stands before its reply
                        connection.execute(
                            "DELETE FROM messages WHERE role = 'user' AND text = ?",
                            (row["question"],),
                        )
            connection.execute("DELETE FROM told WHERE fact = ?", (fact_id,))
            connection.execute("DELETE FROM refused WHERE fact = ?", (fact_id,))
            for row in connection.execute("SELECT * FROM lessons").fetchall():
                words = "\n".join(map(str, json.loads(row["turn"]).values()))
                if holds(words, traces):
                    connection.execute("DELETE FROM lessons WHERE number = ?", (row["number"],))
            for row in connection.execute("SELECT rowid, question FROM refused").fetchall():
                if holds(row["question"], traces):
                    connection.execute("DELETE FROM refused WHERE rowid = ?", (row["rowid"],))
        self.scrub()
        return gone

    def clear(self) -> None:
        """Begin anew: every table is emptied."""
        with self._writing() as connection:
            for table in ("messages", "told", "refused", "lessons"):
                connection.execute(f"DELETE FROM {table}")
        self.scrub()

    def scrub(self) -> None:
        """Leave nothing of deleted rows in the file or its log."""
        self.connection.execute("VACUUM")
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def holds(text: str, traces: Sequence[str]) -> bool:
    """Whether a text says one of ``traces``, whatever its case and spacing.

    >>> holds("So, TOM is  my friend.", ["Tom is my friend"])
    True
    """
    said = " ".join(text.casefold().split())
    return any(" ".join(trace.casefold().split()) in said for trace in traces if trace.strip())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
