"""The store: schema, transactions, and what a killed process leaves."""

import os
import signal
import subprocess
import sys

import pytest

from fledgling.core.database import MIGRATIONS, connect, migrate, transaction
from fledgling.core.errors import DataError

WRITER = """
import sys
from fledgling.core.database import connect
from fledgling.facts.memory import FactMemory
from fledgling.settings import load_config
from fledgling.core.records import Fact
memory = FactMemory(connect(sys.argv[1]), load_config().facts.memory)
for number in range(100_000):
    memory.remember(Fact(f"f{number}", "", f"Number {number}."), number)
    print(number, flush=True)
"""


def test_a_store_is_created_and_opened_again(tmp_path):
    path = tmp_path / "deep" / "store.sqlite"
    connect(path).close()
    again = connect(path)
    assert again.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
    assert again.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert migrate(again) == len(MIGRATIONS)


def test_what_raises_is_rolled_back():
    store = connect(":memory:")
    with pytest.raises(ValueError), transaction(store):
        store.execute("INSERT INTO counters VALUES ('x', 1)")
        with transaction(store):
            store.execute("INSERT INTO counters VALUES ('y', 1)")
        raise ValueError
    assert store.execute("SELECT count(*) FROM counters").fetchone()[0] == 0


def test_a_file_that_is_no_store_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database, " * 100)
    with pytest.raises(DataError, match=r"notes\.txt"):
        connect(path)


def test_a_newer_store_is_refused(tmp_path):
    path = tmp_path / "store.sqlite"
    newer = connect(path)
    newer.execute("PRAGMA user_version = 999")
    newer.close()
    with pytest.raises(DataError, match="999"):
        connect(path)


def test_a_killed_writer_loses_at_most_the_fact_in_flight(tmp_path):
    from fledgling.facts.memory import FactMemory
    from fledgling.settings import load_config

    path = tmp_path / "store.sqlite"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    acknowledged = [int(writer.stdout.readline()) for _ in range(40)][-1]
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    store = connect(path)
    memory = FactMemory(store, load_config().facts.memory)
    assert store.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert len(memory) == len(memory.all()) >= acknowledged + 1
