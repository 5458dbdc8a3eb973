"""What is lost in a damaged store, and a mended copy of the rest."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load

from fledgling.core.database import connect
from fledgling.core.errors import DataError
from fledgling.facts.store import CONSOLIDATED, SCHEMA, digest, sum_path
from fledgling.facts.stored import checksum

_COLUMNS = {
    "facts": "id, fact, key, slot, born, seen, count, fresh, stale, loss, rehearsed, trained, sum",
    "adapters": "id, weights, sum",
    "states": 'id, tensors, "values", sum',
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: where, and what it means."""

    place: str
    meaning: str


@dataclass(frozen=True)
class Report:
    """What a store holds that reads well, and what does not."""

    facts: int
    adapters: int
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        return not self.findings


def check(path: Path) -> Report:
    """Read everything in a store without changing it. Raises ``DataError`` when there is no such
    file, or it is no SQLite database at all.
    """
    if not path.is_file():
        raise DataError(f"{path} does not exist; give the path of a store")
    findings = list(_whole_file(path))
    counts = dict.fromkeys(_COLUMNS, 0)
    known: set[str] = set()
    with contextlib.closing(_opened(path)) as connection:
        findings += _structure(connection)
        for table in _COLUMNS:
            for row in _rows(connection, table, findings):
                fault = _FAULTS[table](row)
                if fault:
                    findings.append(Finding(f"{table} {row[0]!r}", fault))
                    continue
                counts[table] += 1
                known |= {row[0]} if table == "facts" else set()
                if table == "adapters" and row[0] not in known:
                    findings.append(Finding(f"adapters {row[0]!r}", "its fact is lost"))
    return Report(counts["facts"], counts["adapters"], tuple(findings))


def mend(path: Path) -> Path:
    """Write what reads well into a new store and put it in the place of the damaged one, which is
    kept beside it. Returns the path of the damaged one. A fact whose adapter is lost waits to be
    trained again.
    """
    kept, mended = path.with_name(path.name + ".damaged"), path.with_name(path.name + ".mended")
    mended.unlink(missing_ok=True)
    with (
        contextlib.closing(_opened(path)) as old,
        contextlib.closing(connect(mended, SCHEMA)) as new,
    ):
        good = {
            table: [row for row in _rows(old, table, []) if not _FAULTS[table](row)]
            for table in _COLUMNS
        }
        if _is_per_fact(good["states"]):
            weights = {row[0] for row in good["adapters"]} | _folded(good["states"])
            good["facts"] = [row if row[0] in weights else _untrained(row) for row in good["facts"]]
        for table, columns in _COLUMNS.items():
            marks = ", ".join("?" * (columns.count(",") + 1))
            for row in good[table]:
                new.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", row)
        for table in _COLUMNS:
            new.execute(f"DELETE FROM before_{table}")
        new.execute("DELETE FROM adapters WHERE id NOT IN (SELECT id FROM facts)")
        new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.move(path, kept)
    for beside in ("-wal", "-shm"):
        Path(f"{path}{beside}").unlink(missing_ok=True)
    mended.replace(path)
    sum_path(path).write_text(digest(path), encoding="utf-8")
    return kept


def _is_per_fact(states: list[tuple]) -> bool:
    identity = [json.loads(row[2]) for row in states if row[0] == "identity"]
    return bool(identity) and identity[0].get("placement") == "per_fact"


def _folded(states: list[tuple]) -> set[str]:
    values = [json.loads(row[2]) for row in states if row[0] == CONSOLIDATED]
    return set(values[0]["facts"]) if values else set()


def _untrained(row: tuple) -> tuple:
    values = (*row[:-2], 0)
    return (*values, checksum(values))


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    connection.text_factory = bytes  # damaged text need not be text
    try:
        connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.DatabaseError as error:
        connection.close()
        raise DataError(f"{path} is not readable as a SQLite database: {error}") from error
    return connection


def _whole_file(path: Path) -> Iterator[Finding]:
    noted = sum_path(path)
    if noted.is_file() and noted.read_text(encoding="utf-8", errors="replace") != digest(path):
        yield Finding("the file", "is not as it was when it was closed")


def _structure(connection: sqlite3.Connection) -> list[Finding]:
    try:
        lines = [
            str(row[0], "utf-8", "replace") for row in connection.execute("PRAGMA quick_check")
        ]
    except sqlite3.DatabaseError as error:
        lines = [str(error)]
    return [Finding("the file's structure", line) for line in lines if line != "ok"]


def _rows(connection: sqlite3.Connection, table: str, findings: list[Finding]) -> list[tuple]:
    """The rows that can be read, as text where they are text, each by its own query: a bad page
    takes only the rows on it along.
    """
    found = []
    try:
        places = [row[0] for row in connection.execute(f"SELECT rowid FROM {table}")]
    except sqlite3.DatabaseError as error:
        findings.append(Finding(f"the table {table}", f"cannot be read: {error}"))
        return []
    query = f"SELECT {_COLUMNS[table]} FROM {table} WHERE rowid = ?"
    for place in places:
        try:
            row = connection.execute(query, (place,)).fetchone()
        except sqlite3.DatabaseError as error:
            findings.append(Finding(f"{table} row {place}", f"cannot be read: {error}"))
            continue
        if row is not None:
            found.append(_as_text(table, row))
    return found


def _as_text(table: str, row: tuple) -> tuple:
    """Text columns decoded; what is not UTF-8 keeps its checksum from agreeing."""
    blobs = {"facts": (), "adapters": (1,), "states": (1,)}[table]
    return tuple(
        str(value, "utf-8", "replace") if isinstance(value, bytes) and place not in blobs else value
        for place, value in enumerate(row)
    )


def _fact_fault(row: tuple) -> str:
    return "" if checksum(row[:-1]) == row[-1] else "the fact is damaged: teach it again"


def _adapter_fault(row: tuple) -> str:
    return _blob_fault(row[1], zlib.crc32(row[1]) == row[2], "its fact waits to be taught again")


def _state_fault(row: tuple) -> str:
    right = zlib.crc32(row[2].encode(), zlib.crc32(row[1])) == row[3]
    return _blob_fault(row[1], right, "the learner starts anew where it stood for something")


def _blob_fault(blob: bytes, right: bool, meaning: str) -> str:
    if not right:
        return f"is damaged: {meaning}"
    try:
        load(blob)
    except SafetensorError as error:
        return f"is damaged ({error}): {meaning}"
    return ""


_FAULTS: dict[str, Callable[[tuple], str]] = {
    "facts": _fact_fault,
    "adapters": _adapter_fault,
    "states": _state_fault,
}
