"""One SQLite file for everything a conversation leaves behind: facts, corrections, feedback,
outcomes.

Write-ahead logging and one transaction a change: a process killed at any moment leaves the last
committed state.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fledgling.core.errors import DataError

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE facts (
        id TEXT PRIMARY KEY, fact TEXT NOT NULL, key TEXT NOT NULL, slot TEXT NOT NULL,
        born INTEGER NOT NULL, seen INTEGER NOT NULL, count INTEGER NOT NULL,
        fresh REAL NOT NULL, stale REAL NOT NULL, loss REAL NOT NULL, rehearsed INTEGER NOT NULL
    );
    CREATE INDEX facts_key ON facts (key);
    CREATE INDEX facts_slot ON facts (slot);
    CREATE INDEX facts_born ON facts (born);
    CREATE INDEX facts_seen ON facts (seen);
    CREATE INDEX facts_fresh ON facts (fresh);
    CREATE INDEX facts_stale ON facts (stale);
    CREATE INDEX facts_loss ON facts (loss DESC, rehearsed);
    CREATE INDEX facts_rehearsed ON facts (rehearsed);
    CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
    """,
    """
    CREATE TABLE adapters (fact_id TEXT PRIMARY KEY, weights BLOB NOT NULL);
    CREATE TABLE states (name TEXT PRIMARY KEY, tensors BLOB NOT NULL, "values" TEXT NOT NULL);
    """,
)


def connect(path: Path | str, migrations: tuple[str, ...] = MIGRATIONS) -> sqlite3.Connection:
    """Open (or create) the store at ``path``, bring its schema up to date and return the
    connection. ``migrations``: a package whose store is a file of its own gives its own.

    ``":memory:"`` opens a store that lives as long as the connection. Raises ``DataError`` when the
    file is not a SQLite database, cannot be opened, or was written by a newer version of the
    library.
    """
    name = str(path)
    try:
        if name != ":memory:":
            Path(name).parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            name, timeout=10.0, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        migrate(connection, migrations)
    except (sqlite3.DatabaseError, OSError) as error:
        raise DataError(
            f"{name} cannot be opened as a SQLite store: {error}; give another path, or move the "
            "file away and let a new one be created"
        ) from error
    return connection


def migrate(connection: sqlite3.Connection, migrations: tuple[str, ...] = MIGRATIONS) -> int:
    """Apply the migrations that the store has not seen, each in its own transaction. Returns the
    version reached.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(migrations):
        raise DataError(
            f"the store is at schema version {version}, this library knows up to {len(migrations)};"
            " update the library or open another file"
        )
    for number in range(version, len(migrations)):
        with transaction(connection):
            if int(connection.execute("PRAGMA user_version").fetchone()[0]) > number:
                continue  # another process was faster
            for statement in migrations[number].split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")
    return len(migrations)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Everything inside is committed together, or rolled back together when it raises. Nested use
    joins the outer.
    """
    if connection.in_transaction:
        yield connection
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
