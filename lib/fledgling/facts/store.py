"""The file behind a learner: facts, adapters and states in one SQLite store, which one process has
open at a time.

A turn is one transaction, and the rows it replaced are kept beside it, so that it can be taken back
whole, eviction included. A store says which model and recipe it belongs to. Every row carries a
checksum, and a store that was closed properly also has one of the whole file beside it
(``<store>.sum``): no damage goes unnoticed. Values are safetensors bytes and JSON; nothing that is
read is executed.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError
from safetensors.torch import load, save

from fledgling.core.database import Schema, connect, transaction
from fledgling.core.errors import DataError
from fledgling.core.files import write_text

State = dict[str, torch.Tensor]
SHARED, CONSOLIDATED = "shared", "consolidated"  # states: weights of several facts

_TABLES = {
    "facts": (
        "id TEXT PRIMARY KEY, fact TEXT NOT NULL, key TEXT NOT NULL, slot TEXT NOT NULL,"
        " born INTEGER NOT NULL, seen INTEGER NOT NULL, count INTEGER NOT NULL,"
        " fresh REAL NOT NULL, stale REAL NOT NULL, loss REAL NOT NULL,"
        " rehearsed INTEGER NOT NULL, trained INTEGER NOT NULL, sum INTEGER NOT NULL"
    ),
    "adapters": "id TEXT PRIMARY KEY, weights BLOB NOT NULL, sum INTEGER NOT NULL",
    "states": 'id TEXT PRIMARY KEY, tensors BLOB NOT NULL, "values" TEXT NOT NULL, sum INTEGER',
}


def _undoable(table: str, columns: str) -> str:
    """SQL of a table, of the table that keeps a turn's replaced rows, and of the triggers that fill
    it. Only the first change of a row counts: it holds what stood there before the turn.
    """
    loose = columns.replace(" NOT NULL", "")
    # no INSERT OR IGNORE: in a trigger the outer statement's way with conflicts would overrule it
    fresh = f"WHERE NOT EXISTS (SELECT 1 FROM before_{table} AS was WHERE was.id = {{}}.id)"
    return f"""
        CREATE TABLE {table} ({columns});
        CREATE TABLE before_{table} ({loose}, place INTEGER);
        CREATE TRIGGER {table}_added AFTER INSERT ON {table} BEGIN
            INSERT INTO before_{table} (id) SELECT NEW.id {fresh.format("NEW")}; END;
        CREATE TRIGGER {table}_changed BEFORE UPDATE ON {table} BEGIN
            INSERT INTO before_{table} SELECT *, rowid FROM {table} {fresh.format("OLD")}
            AND id = OLD.id; END;
        CREATE TRIGGER {table}_removed BEFORE DELETE ON {table} BEGIN
            INSERT INTO before_{table} SELECT *, rowid FROM {table} {fresh.format("OLD")}
            AND id = OLD.id; END;
        """


SCHEMA = Schema(
    "facts",
    (
        "".join(_undoable(table, columns) for table, columns in _TABLES.items())
        + """
        CREATE INDEX facts_key ON facts (key);
        CREATE INDEX facts_slot ON facts (slot);
        CREATE INDEX facts_born ON facts (born);
        CREATE INDEX facts_seen ON facts (seen);
        CREATE INDEX facts_fresh ON facts (fresh);
        CREATE INDEX facts_stale ON facts (stale);
        CREATE INDEX facts_loss ON facts (loss DESC, rehearsed);
        CREATE INDEX facts_rehearsed ON facts (rehearsed);
        """,
    ),
)


class FactStore:
    """A learner's file, locked for this process; ":memory:" keeps nothing.

    ``identity`` names what the stored adapters fit: model, adapter shape, placement. Raises
    ``DataError`` when the file is in use, belongs to another identity, or is damaged.
    """

    def __init__(
        self,
        path: Path | str = ":memory:",
        identity: Mapping[str, str] | None = None,
        dtype: torch.dtype = torch.float16,
    ) -> None:
        self.dtype, self._closed = dtype, False
        self.path = None if str(path) == ":memory:" else Path(path).expanduser().resolve()
        self._lock = _locked(self.path) if self.path else None
        try:
            changed = self.path is not None and not _unchanged(self.path)
            self.connection = connect(self.path or ":memory:", SCHEMA)
            self.connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
            if changed:
                raise DataError(
                    f"{self.path} was changed or damaged since it was closed; `fledgling store"
                    " check FILE` tells what is lost and mends what it can"
                )
            if self.path is not None:
                sum_path(self.path).unlink(missing_ok=True)  # from here on it may change
            self._claim(identity or {})
        except BaseException:
            if self._lock:
                self._lock.release()
            raise

    def close(self) -> None:
        """Fold the log into the file, note the file's checksum, and let others open it. Closing
        twice does nothing more.
        """
        if self._closed:
            return
        self._closed = True
        if self.path is not None:
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.connection.close()
        if self.path is not None:
            write_text(sum_path(self.path), digest(self.path))
        if self._lock:
            self._lock.release()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """A transaction that ``undo`` takes back; what was kept of the turn before goes."""
        with transaction(self.connection):
            self._forget_before()
            yield

    def undo(self) -> bool:
        """Put back every row that the last turn added, changed or removed. Returns whether there
        was such a turn.
        """
        before = {
            table: self.connection.execute(f"SELECT * FROM before_{table}").fetchall()
            for table in _TABLES
        }
        with transaction(self.connection):
            for table, rows in before.items():
                ids = [(row["id"],) for row in rows]
                self.connection.executemany(f"DELETE FROM {table} WHERE id = ?", ids)
                for row in rows:
                    if row["place"] is not None:  # it was there before the turn
                        self._insert(table, row)
            self._forget_before()
        return any(before.values())

    def scrub(self) -> None:
        """Leave nothing of deleted rows in the file: no rows kept for ``undo``, no free pages, no
        log.
        """
        with transaction(self.connection):
            self._forget_before()
        self.connection.execute("VACUUM")
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _insert(self, table: str, row: sqlite3.Row) -> None:
        names = ", ".join(f'"{name}"' for name in row.keys()[:-1])
        marks = ", ".join("?" * len(row))
        self.connection.execute(
            f"INSERT INTO {table} ({names}, rowid) VALUES ({marks})", tuple(row)
        )

    def touched(self) -> list[str]:
        """The ids of the facts that were told in the last turn, for the first time or again."""
        rows = self.connection.execute(
            "SELECT facts.id FROM facts JOIN before_facts AS was ON was.id = facts.id"
            " WHERE was.place IS NULL OR was.count < facts.count ORDER BY facts.rowid"
        )
        return [row["id"] for row in rows]

    def _forget_before(self) -> None:
        for table in _TABLES:
            self.connection.execute(f"DELETE FROM before_{table}")

    # Adapters and states

    def put_adapter(self, fact_id: str, state: State) -> None:
        """Store a fact's adapter, in ``dtype``."""
        blob = save({name: tensor.to(self.dtype).contiguous() for name, tensor in state.items()})
        self.connection.execute(
            "INSERT INTO adapters VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET weights ="
            " excluded.weights, sum = excluded.sum",
            (fact_id, blob, zlib.crc32(blob)),
        )

    def adapter(self, fact_id: str) -> State | None:
        """A fact's adapter in float32, or None. Raises ``DataError`` when it is damaged."""
        row = self.connection.execute(
            "SELECT weights, sum FROM adapters WHERE id = ?", (fact_id,)
        ).fetchone()
        if row is None:
            return None
        return {name: tensor.float() for name, tensor in _tensors(row[0], row[1], fact_id).items()}

    def has_adapter(self, fact_id: str) -> bool:
        """Whether the fact has an adapter of its own."""
        query = "SELECT 1 FROM adapters WHERE id = ?"
        return self.connection.execute(query, (fact_id,)).fetchone() is not None

    def remove_adapter(self, fact_id: str) -> None:
        self.connection.execute("DELETE FROM adapters WHERE id = ?", (fact_id,))

    def put_state(self, name: str, tensors: State, values: Mapping[str, Any]) -> None:
        """Store tensors (as they are) and JSON values under a name."""
        blob = save({key: tensor.contiguous() for key, tensor in tensors.items()})
        text = json.dumps(values)
        self.connection.execute(
            "INSERT INTO states VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET tensors ="
            ' excluded.tensors, "values" = excluded."values", sum = excluded.sum',
            (name, blob, text, zlib.crc32(text.encode(), zlib.crc32(blob))),
        )

    def remove_state(self, name: str) -> None:
        self.connection.execute("DELETE FROM states WHERE id = ?", (name,))

    def state(self, name: str) -> tuple[State, dict[str, Any]] | None:
        """What ``put_state`` stored, or None. Raises ``DataError`` when it is damaged."""
        row = self.connection.execute(
            'SELECT tensors, "values", sum FROM states WHERE id = ?', (name,)
        ).fetchone()
        if row is None:
            return None
        text = row["values"].encode()
        if zlib.crc32(text, zlib.crc32(row["tensors"])) != row["sum"]:
            raise _damaged(f"the state {name!r}")
        return load(row["tensors"]), json.loads(text)

    def folded(self) -> list[str]:
        """The ids of the facts that the consolidated adapter was made from."""
        query = 'SELECT "values" FROM states WHERE id = ?'
        row = self.connection.execute(query, (CONSOLIDATED,)).fetchone()
        return json.loads(row[0])["facts"] if row else []

    def folded_bytes(self) -> int:
        """The size of the consolidated adapter, 0 without one."""
        query = "SELECT length(tensors) FROM states WHERE id = ?"
        row = self.connection.execute(query, (CONSOLIDATED,)).fetchone()
        return int(row[0]) if row else 0

    def changed(self, state: str) -> bool:
        """Whether the last turn changed the state of that name."""
        query = "SELECT 1 FROM before_states WHERE id = ?"
        return self.connection.execute(query, (state,)).fetchone() is not None

    def erase_shared(self, fact_id: str) -> list[str]:
        """Drop the weights that a fact has in common with others. Returns the ids of those others,
        which have to be trained anew.
        """
        with_weights = {row[0] for row in self.connection.execute("SELECT id FROM adapters")}
        touched = []
        if self.state(SHARED) is not None:
            self.remove_state(SHARED)
            touched += [row[0] for row in self.connection.execute("SELECT id FROM facts")]
        folded = self.folded()
        if fact_id in folded:
            self.remove_state(CONSOLIDATED)
            touched += [other for other in folded if other not in with_weights]
        return [other for other in dict.fromkeys(touched) if other != fact_id]

    def _claim(self, identity: Mapping[str, str]) -> None:
        """Note whose store this is, or refuse to open another's."""
        stored = self.state("identity")
        if stored is None:
            self.put_state("identity", {}, dict(identity))
            self._forget_before()
            return
        for name, value in identity.items():
            if stored[1].get(name) != value:
                raise DataError(
                    f"{self.path} belongs to {name} {stored[1].get(name)!r}, not {value!r}: what it"
                    " holds would answer nonsense; open it as it was, or give another path"
                )


def _tensors(blob: bytes, expected: int, name: str) -> State:
    if zlib.crc32(blob) != expected:
        raise _damaged(f"the adapter of {name}")
    try:
        return load(blob)
    except SafetensorError as error:
        raise _damaged(f"the adapter of {name}") from error


def _damaged(what: str) -> DataError:
    return DataError(
        f"{what} is damaged; `fledgling store check FILE` tells what is lost and mends what it can"
    )


def _locked(path: Path) -> FileLock:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{path}.lock")
        lock.acquire(timeout=0)
    except Timeout as error:
        raise DataError(
            f"{path} is in use by another process or panel; close that one first, or give another"
            " path"
        ) from error
    except OSError as error:
        raise DataError(f"{path} cannot be opened: {error.strerror}; give another path") from error
    return lock


def sum_path(path: Path) -> Path:
    """Where the checksum of a closed store stands."""
    return Path(f"{path}.sum")


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _unchanged(path: Path) -> bool:
    """Whether the file is as it was closed. A killed process leaves no checksum to go by: then the
    file counts as it is, and SQLite's log and the rows' own checksums have to speak.
    """
    noted = sum_path(path)
    if not path.exists() or not noted.exists():
        return True
    return noted.read_text(encoding="utf-8").strip() == digest(path)
