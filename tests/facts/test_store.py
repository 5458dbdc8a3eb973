"""A learner's file: one owner at a time, turns that can be taken back, damage that is noticed."""

import subprocess
import sys

import pytest
import torch

from fledgling.core.errors import DataError
from fledgling.core.records import Fact
from fledgling.facts.memory import FactMemory
from fledgling.facts.store import FactStore
from fledgling.settings import load_config

STATE = {"a": torch.randn(3, 4), "b": torch.randn(5)}
SECTION = load_config().facts.memory


def content(store):
    """Every row of every table that holds something taught."""
    return {
        table: [tuple(row) for row in store.connection.execute(f"SELECT rowid, * FROM {table}")]
        for table in ("facts", "adapters", "states")
    }


def teach(store, name, turn):
    memory = FactMemory(store.connection, SECTION)
    with store.turn():
        memory.remember(Fact(name, "", f"{name} is here."), turn)
        store.put_adapter(name, {"a": torch.full((2,), float(turn))})
        store.put_state("learner", {}, {"turns": turn})


def test_adapters_come_back_in_the_stores_precision_and_states_exactly():
    store = FactStore()
    store.put_adapter("f", STATE)
    store.put_state("s", STATE, {"turns": 3})
    back = store.adapter("f")
    assert all(torch.equal(back[name], STATE[name].half().float()) for name in STATE)
    tensors, values = store.state("s")
    assert all(torch.equal(tensors[name], STATE[name]) for name in STATE) and values["turns"] == 3
    assert store.adapter("g") is None and store.state("t") is None


def test_undo_puts_back_what_a_turn_added_changed_and_removed():
    store = FactStore()
    for number, name in enumerate("abc"):
        teach(store, name, number)
    before = content(store)
    memory = FactMemory(store.connection, SECTION)
    with store.turn():
        memory.forget("a")  # as eviction does
        store.remove_adapter("a")
        memory.repeat("b", 9)
        store.put_adapter("b", {"a": torch.ones(2)})
        memory.remember(Fact("d", "", "d is here."), 9)
        store.put_state("learner", {}, {"turns": 9})
    assert content(store) != before
    assert sorted(store.touched()) == ["b", "d"]
    assert store.undo()
    assert content(store) == before
    assert not store.undo()


def test_only_the_last_turn_can_be_taken_back():
    store = FactStore()
    teach(store, "a", 1)
    before = content(store)
    teach(store, "b", 2)
    assert store.undo() and content(store) == before and not store.undo()


def test_a_turn_that_is_broken_off_leaves_the_store_and_its_undo_alone():
    store = FactStore()
    teach(store, "a", 1)
    before = content(store)
    with pytest.raises(KeyboardInterrupt), store.turn():
        store.put_adapter("b", {"a": torch.ones(2)})
        raise KeyboardInterrupt
    assert content(store) == before and store.touched() == ["a"]


def test_a_store_belongs_to_its_model_and_recipe(tmp_path):
    FactStore(tmp_path / "s", {"model": "one", "adapter": "rank 8"}).close()
    with pytest.raises(DataError, match="belongs to model 'one', not 'two'"):
        FactStore(tmp_path / "s", {"model": "two", "adapter": "rank 8"})
    with pytest.raises(DataError, match="adapter 'rank 8', not 'rank 4'"):
        FactStore(tmp_path / "s", {"model": "one", "adapter": "rank 4"})
    FactStore(tmp_path / "s", {"model": "one", "adapter": "rank 8"}).close()


def test_a_second_process_is_refused_also_through_a_link(tmp_path):
    store = FactStore(tmp_path / "s")
    (tmp_path / "link").symlink_to(tmp_path / "s")
    code = "import sys; from fledgling.facts.store import FactStore; FactStore(sys.argv[1])"
    for name in ("s", "link"):
        tried = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / name)], capture_output=True, text=True
        )
        assert tried.returncode and "in use by another process" in tried.stderr
    store.close()
    FactStore(tmp_path / "link").close()


def test_a_refused_store_is_free_again(tmp_path):
    FactStore(tmp_path / "s", {"model": "one"}).close()
    with pytest.raises(DataError):
        FactStore(tmp_path / "s", {"model": "two"})
    FactStore(tmp_path / "s", {"model": "one"}).close()


@pytest.mark.parametrize("table", ["facts", "adapters", "states"])
def test_a_damaged_row_is_noticed(table):
    store = FactStore()
    teach(store, "a", 1)
    changes = {"facts": "born = 7", "adapters": "weights = x'00'", "states": "tensors = x'00'"}
    store.connection.execute(f"UPDATE {table} SET {changes[table]}")
    reads = {
        "facts": lambda: FactMemory(store.connection, SECTION).all(),
        "adapters": lambda: store.adapter("a"),
        "states": lambda: store.state("learner"),
    }
    with pytest.raises(DataError, match="is damaged; `fledgling store check"):
        reads[table]()


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="give another path"):
        FactStore(tmp_path / "file" / "s")
