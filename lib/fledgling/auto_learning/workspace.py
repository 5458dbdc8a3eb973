"""Where everything of auto-learning lies: a folder with one SQLite file that says what counts.

Files appear whole under names of their own; they belong to a table or a model only once the store
says so, in one transaction. A process killed at any moment leaves the last committed state, and
files that nothing names.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from fledgling.core.database import Schema, connect
from fledgling.core.errors import RunError
from fledgling.core.paths import home

SCHEMA = Schema(
    "auto_learning",
    (
        # the tables' files
        """
    CREATE TABLE sources (
        name TEXT PRIMARY KEY, taken INTEGER NOT NULL, head TEXT NOT NULL
    );
    CREATE TABLE parts (
        path TEXT PRIMARY KEY, layer TEXT NOT NULL, day TEXT NOT NULL, rows INTEGER NOT NULL,
        first_row INTEGER NOT NULL DEFAULT 0, pending INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX parts_layer ON parts (layer, day);
    CREATE TABLE stale (day TEXT PRIMARY KEY);
    CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    """,
        # models, who serves, tests and decisions
        """
    CREATE TABLE models (
        id TEXT PRIMARY KEY, master TEXT NOT NULL, parent TEXT, folder TEXT NOT NULL,
        bytes_hash TEXT NOT NULL, data_hash TEXT NOT NULL, settings TEXT NOT NULL,
        metrics TEXT NOT NULL, created TEXT NOT NULL
    );
    CREATE TABLE aliases (
        number INTEGER PRIMARY KEY, master TEXT NOT NULL, alias TEXT NOT NULL, model TEXT,
        since TEXT NOT NULL, why TEXT NOT NULL
    );
    CREATE INDEX aliases_at ON aliases (master, alias, since, number);
    CREATE TABLE trained (
        master TEXT NOT NULL, task_id TEXT NOT NULL, model TEXT NOT NULL,
        PRIMARY KEY (master, task_id)
    );
    CREATE TABLE tests (
        id INTEGER PRIMARY KEY, master TEXT NOT NULL, champion TEXT NOT NULL,
        challenger TEXT NOT NULL, share REAL NOT NULL, started TEXT NOT NULL,
        before TEXT NOT NULL, ended TEXT, verdict TEXT
    );
    CREATE UNIQUE INDEX tests_open ON tests (master) WHERE ended IS NULL;
    CREATE TABLE assignments (
        number INTEGER PRIMARY KEY, test INTEGER NOT NULL REFERENCES tests (id),
        task_id TEXT NOT NULL, unit TEXT NOT NULL, variant TEXT NOT NULL, share REAL NOT NULL,
        area TEXT NOT NULL, at TEXT NOT NULL, counts INTEGER NOT NULL, UNIQUE (test, task_id)
    );
    CREATE INDEX assignments_unit ON assignments (test, unit);
    CREATE TABLE evidence (
        test INTEGER NOT NULL REFERENCES tests (id), position INTEGER NOT NULL,
        assignment INTEGER NOT NULL, task_id TEXT NOT NULL, variant TEXT NOT NULL,
        share REAL NOT NULL, area TEXT NOT NULL, completed INTEGER NOT NULL, quality REAL,
        seconds REAL, PRIMARY KEY (test, position)
    );
    CREATE TABLE decisions (
        id INTEGER PRIMARY KEY, test INTEGER NOT NULL REFERENCES tests (id), at TEXT NOT NULL,
        verdict TEXT NOT NULL, reason TEXT NOT NULL, tasks INTEGER NOT NULL,
        evidence_hash TEXT NOT NULL, record TEXT NOT NULL
    );
    CREATE TABLE events (
        number INTEGER PRIMARY KEY, at TEXT NOT NULL, event TEXT NOT NULL, "values" TEXT NOT NULL
    );
    CREATE TABLE jobs (name TEXT PRIMARY KEY, last_run TEXT NOT NULL);
    """,
    ),
)


@dataclass(frozen=True)
class Workspace:
    """The folder and its open store. Close it, or use it in a ``with`` block."""

    folder: Path
    store: sqlite3.Connection

    @classmethod
    def open(cls, folder: Path | str = "") -> Workspace:
        """Open or create it. Raises ``DataError`` where the store cannot be read."""
        folder = Path(folder).expanduser() if folder else default_folder()
        store = connect(folder / "auto_learning.sqlite", SCHEMA)
        for name in ("inbox", "tables", "models"):
            (folder / name).mkdir(exist_ok=True)
        return cls(folder, store)

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.store.close()

    @property
    def inbox(self) -> Path:
        """Where outcomes arrive: JSONL files, growing or whole."""
        return self.folder / "inbox"

    @property
    def tables(self) -> Path:
        return self.folder / "tables"

    @property
    def models(self) -> Path:
        return self.folder / "models"

    @contextmanager
    def only_one(self, work: str) -> Iterator[None]:
        """Nobody else does ``work`` meanwhile; the lock falls with the process that holds it.

        Raises ``RunError`` when somebody else is at it.
        """
        lock, holder = FileLock(self.folder / f"{work}.lock"), self.folder / f"{work}.pid"
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            who = holder.read_text() if holder.is_file() else "unknown"
            raise RunError(
                f"another process (id {who}) is at work as {work!r} in {self.folder}; wait until"
                " it is done, stop it, or give another folder"
            ) from error
        try:
            holder.write_text(str(os.getpid()))
            yield
        finally:
            lock.release()


def default_folder() -> Path:
    """Where a workspace lies unless it is told otherwise."""
    return home() / "auto_learning"
