"""Which Parquet files make up each table: a file counts from the transaction that names it on.

Tables: ``bronze`` (as received), ``silver`` (typed), ``quarantine`` (rejected, with the reason),
and gold's ``tasks``, ``examples`` and ``daily``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet

from fledgling.core.errors import DataError

BRONZE, SILVER, QUARANTINE = "bronze", "silver", "quarantine"
TASKS, EXAMPLES, DAILY = "tasks", "examples", "daily"
GOLD = (TASKS, EXAMPLES, DAILY)
LAYERS = (BRONZE, SILVER, QUARANTINE, *GOLD)


@dataclass(frozen=True)
class Part:
    """One Parquet file: its path below the tables' folder, its day, its rows."""

    path: str
    layer: str
    day: str
    rows: int
    first_row: int = 0


@dataclass(frozen=True)
class Ledger:
    """The parts of all tables, in the workspace's store."""

    store: sqlite3.Connection
    tables: Path

    def parts(self, layer: str, days: Iterable[str] | None = None) -> list[Part]:
        """The parts of a table in order, of some days or of all."""
        rows = self.store.execute(
            "SELECT path, layer, day, rows, first_row FROM parts WHERE layer = ?"
            " ORDER BY first_row, day, path",
            (layer,),
        )
        found = [Part(**row) for row in rows]
        if days is None:
            return found
        chosen = set(days)
        return [part for part in found if part.day in chosen]

    def files(self, parts: Sequence[Part]) -> list[str]:
        """Their files. Raises ``DataError`` naming the first that is gone."""
        for part in parts:
            if not (self.tables / part.path).is_file():
                raise DataError(
                    f"{self.tables / part.path} is gone, {part.rows} rows of {part.layer} of"
                    f" {part.day}; run `fledgling auto collect`, which makes again what can be made"
                )
        return [str(self.tables / part.path) for part in parts]

    def pending(self) -> list[Part]:
        """Bronze parts that are not in silver yet, in the order in which they were received."""
        rows = self.store.execute(
            "SELECT path, layer, day, rows, first_row FROM parts WHERE pending ORDER BY first_row"
        )
        return [Part(**row) for row in rows]

    def add(self, parts: Iterable[Part], *, pending: bool = False) -> None:
        """Name new parts, inside a transaction of the caller's."""
        self.store.executemany(
            "INSERT INTO parts (path, layer, day, rows, first_row, pending)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [(p.path, p.layer, p.day, p.rows, p.first_row, pending) for p in parts],
        )

    def drop(self, parts: Iterable[Part]) -> None:
        """Forget parts; their files are swept later."""
        self.store.executemany("DELETE FROM parts WHERE path = ?", [(p.path,) for p in parts])

    def next_row(self) -> int:
        """The number that the next received line gets."""
        row = self.store.execute(
            "SELECT max(first_row + rows) FROM parts WHERE layer = ?", (BRONZE,)
        ).fetchone()
        return int(row[0] or 0)

    def mark_stale(self, days: Iterable[str]) -> None:
        """Gold of these days is to be written again."""
        self.store.executemany(
            "INSERT OR IGNORE INTO stale (day) VALUES (?)", [(day,) for day in days]
        )

    def setting(self, name: str) -> str | None:
        """What a table was last made with, to notice that it has changed."""
        row = self.store.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return None if row is None else row["value"]

    def note(self, name: str, value: str) -> None:
        self.store.execute(
            "INSERT INTO settings (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )

    def missing(self) -> list[Part]:
        """Parts whose file is gone."""
        return [
            part
            for layer in LAYERS
            for part in self.parts(layer)
            if not (self.tables / part.path).is_file()
        ]

    def damaged(self) -> list[Part]:
        """Parts whose file is there but cannot be read, or has other rows than it should."""
        there = [
            part
            for layer in LAYERS
            for part in self.parts(layer)
            if (self.tables / part.path).is_file()
        ]
        return [part for part in there if _row_count(self.tables / part.path) != part.rows]

    def found_in(self, layer: str, folder: Path) -> list[Part]:
        """The files that a partitioned COPY left below ``folder``, as parts."""
        parts = []
        for path in sorted(folder.rglob("*.parquet")):
            rows = parquet.read_metadata(path).num_rows
            day = path.parent.name.removeprefix("day=")
            parts.append(Part(str(path.relative_to(self.tables)), layer, day, rows))
        return parts

    def sweep(self) -> int:
        """Remove files that no part names: replaced by the last run, or left by a killed one.
        Returns how many.

        Only ever called under the pipeline's lock, when no file can be half-way to being named.
        """
        named = {row[0] for row in self.store.execute("SELECT path FROM parts")}
        swept = 0
        for path in self.tables.rglob("*"):
            ours = path.is_file() and path.suffix in (".parquet", ".tmp")
            if ours and str(path.relative_to(self.tables)) not in named:
                path.unlink()
                swept += 1
        for folder in sorted(self.tables.rglob("*"), reverse=True):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        return swept


def _row_count(path: Path) -> int | None:
    try:
        return parquet.read_metadata(path).num_rows
    except (OSError, pyarrow.ArrowException):
        return None
