"""One SQLite file for everything a conversation leaves behind: facts, corrections, feedback,
outcomes.

Each package brings the schema of its own tables. Write-ahead logging and one transaction a change:
a process killed at any moment leaves the last committed state.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fledgling.core.errors import DataError

_VERSIONS = "CREATE TABLE IF NOT EXISTS schemas (name TEXT PRIMARY KEY, version INTEGER NOT NULL)"


@dataclass(frozen=True)
class Schema:
    """A package's tables: scripts of SQL in order, each of which brings them one version further.
    A script that was ever released is never changed.
    """

    name: str
    migrations: tuple[str, ...]


class _Connection(sqlite3.Connection):
    """Faults of the file or the disk as ``DataError``, in words that say what to do."""

    def execute(self, *arguments: object) -> sqlite3.Cursor:
        with explained(""):
            return super().execute(*arguments)


@contextmanager
def explained(name: str) -> Iterator[None]:
    """SQLite's faults inside the block as ``DataError``; ``name`` is the file, where known."""
    store = name or "the store"
    try:
        yield
    except sqlite3.IntegrityError:
        raise  # a fault of the caller's, not of the file
    except (sqlite3.DatabaseError, OSError) as error:
        text = str(error)
        if "full" in text or "disk I/O" in text:
            raise DataError(
                f"{store} cannot be written ({text}): free some space and say it again; what was"
                " stored before is unchanged"
            ) from error
        if "malformed" in text or "corrupt" in text:
            raise DataError(
                f"{store} is damaged ({text}); `fledgling store check FILE` tells what is lost and"
                " mends what it can"
            ) from error
        raise DataError(
            f"{store} cannot be used as a SQLite store: {text}; give another path, or move the"
            " file away and let a new one be created"
        ) from error


def connect(path: Path | str, *schemas: Schema) -> sqlite3.Connection:
    """Open (or create) the store at ``path``, bring the tables of ``schemas`` up to date and return
    the connection.

    ``":memory:"`` opens a store that lives as long as the connection. Raises ``DataError`` when the
    file is no SQLite database, cannot be opened, or was written by another version of the library.
    """
    name = str(path)
    with explained(name):
        if name != ":memory:":
            Path(name).parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            name, timeout=10.0, isolation_level=None, check_same_thread=False, factory=_Connection
        )
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        migrate(connection, *schemas)
    except DataError as error:
        connection.close()
        raise DataError(f"{name}: {error}") from error
    return connection


def migrate(connection: sqlite3.Connection, *schemas: Schema) -> None:
    """Apply the migrations that the store has not seen, each in a transaction of its own."""
    if int(connection.execute("PRAGMA user_version").fetchone()[0]):
        raise DataError(
            "this store was written by an earlier version of the library, which kept facts in"
            " another form; open another file and teach the facts again"
        )
    connection.execute(_VERSIONS)
    for schema in schemas:
        known = len(schema.migrations)
        version = _version(connection, schema.name)
        if version > known:
            raise DataError(
                f"the store's {schema.name} are at schema version {version}, this library knows up"
                f" to {known}; update the library or open another file"
            )
        for number in range(version, known):
            with transaction(connection):
                if _version(connection, schema.name) > number:
                    continue  # another process was faster
                for statement in _statements(schema.migrations[number]):
                    connection.execute(statement)
                connection.execute(
                    "INSERT INTO schemas VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET version ="
                    " excluded.version",
                    (schema.name, number + 1),
                )


def _version(connection: sqlite3.Connection, name: str) -> int:
    row = connection.execute("SELECT version FROM schemas WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else 0


def _statements(script: str) -> Iterator[str]:
    """The statements of a script; the semicolons inside a trigger do not end one."""
    statement = ""
    for part in script.split(";"):
        statement += f"{part};"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


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
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
