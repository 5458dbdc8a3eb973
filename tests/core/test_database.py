"""The store: schemas, transactions, and what a killed process leaves."""

import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from fledgling.core.database import Schema, connect, migrate, transaction
from fledgling.core.errors import DataError

NOTES = Schema("notes", ("CREATE TABLE notes (text TEXT PRIMARY KEY);",))
WRITER = """
import sys
from fledgling.core.database import Schema, connect, transaction
store = connect(sys.argv[1], Schema("notes", ("CREATE TABLE notes (text TEXT PRIMARY KEY);",)))
for number in range(100_000):
    with transaction(store):
        store.execute("INSERT INTO notes VALUES (?)", (f"note {number}",))
    print(number, flush=True)
"""


def notes_in(store):
    return [row[0] for row in store.execute("SELECT text FROM notes ORDER BY rowid")]


def test_a_store_is_created_and_opened_again(tmp_path):
    path = tmp_path / "deep" / "store.sqlite"
    first = connect(path, NOTES)
    first.execute("INSERT INTO notes VALUES ('a')")
    first.close()
    again = connect(path, NOTES)
    assert notes_in(again) == ["a"]
    assert again.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_packages_bring_their_own_tables_in_any_order_and_triggers_stay_whole():
    counted = Schema(
        "counted",
        (
            "CREATE TABLE counts (n INTEGER); INSERT INTO counts VALUES (0);",
            "CREATE TRIGGER added AFTER INSERT ON notes BEGIN UPDATE counts SET n = n + 1; END;",
        ),
    )
    store = connect(":memory:", NOTES)
    migrate(store, counted)
    migrate(store, NOTES, counted)
    store.execute("INSERT INTO notes VALUES ('a')")
    assert store.execute("SELECT n FROM counts").fetchone()[0] == 1


def test_what_raises_is_rolled_back():
    store = connect(":memory:", NOTES)
    with pytest.raises(ValueError), transaction(store):
        store.execute("INSERT INTO notes VALUES ('x')")
        with transaction(store):
            store.execute("INSERT INTO notes VALUES ('y')")
        raise ValueError
    assert notes_in(store) == []


def test_a_file_that_is_no_store_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database, " * 100)
    with pytest.raises(DataError, match=r"notes\.txt"):
        connect(path, NOTES)
    assert path.read_text() == "not a database, " * 100


def test_a_newer_store_is_refused(tmp_path):
    path = tmp_path / "store.sqlite"
    newer = connect(path, NOTES)
    newer.execute("UPDATE schemas SET version = 999")
    newer.close()
    with pytest.raises(DataError, match="999"):
        connect(path, NOTES)


def test_a_store_of_the_time_before_schemas_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "store.sqlite"
    older = sqlite3.connect(path)
    older.execute("PRAGMA user_version = 2")
    older.execute("CREATE TABLE facts (id TEXT)")
    older.close()
    with pytest.raises(DataError, match="earlier version of the library"):
        connect(path, NOTES)
    assert sqlite3.connect(path).execute("SELECT name FROM sqlite_master").fetchall() == [
        ("facts",)
    ]


def test_a_full_disk_is_one_sentence_and_nothing_happened():
    store = connect(":memory:", NOTES)
    store.execute("PRAGMA max_page_count = 8")  # as many pages as a full disk would leave
    with pytest.raises(DataError, match="free some space"), transaction(store):
        store.execute("INSERT INTO notes VALUES ('kept?')")
        for number in range(1000):
            store.execute("INSERT INTO notes VALUES (?)", (f"{number}" * 200,))
    assert notes_in(store) == []


def test_a_killed_writer_loses_at_most_the_note_in_flight(tmp_path):
    path = tmp_path / "store.sqlite"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    acknowledged = [int(writer.stdout.readline()) for _ in range(40)][-1]
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    store = connect(path, NOTES)
    assert store.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    kept = notes_in(store)
    assert kept == [f"note {number}" for number in range(len(kept))]
    assert len(kept) >= acknowledged + 1
