"""DuckDB as the engine of the tables: bounded memory, its own threads, no network."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from fledgling.auto_learning.settings import MedallionSection


@contextmanager
def engine(section: MedallionSection, spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection for one piece of work; what it cannot hold in memory goes to ``spill``."""
    own = spill / uuid.uuid4().hex
    settings = {
        "memory_limit": f"{section.memory_mb}MB",
        "temp_directory": str(own),
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
    }
    if section.threads:
        settings["threads"] = section.threads
    connection = duckdb.connect(config=settings)
    try:
        connection.execute("SET TimeZone = 'UTC'")  # days are UTC days
        yield connection
    finally:
        connection.close()
        shutil.rmtree(own, ignore_errors=True)


def list_of(files: list[str]) -> str:
    """File names as a SQL list; they come from the ledger, never from a record."""
    return "[" + ", ".join("'" + file.replace("'", "''") + "'" for file in files) + "]"
