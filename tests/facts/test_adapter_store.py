"""Adapters in the store: as they will be read back, whole or not at all."""

import pytest
import torch

from fledgling.core.database import connect, transaction
from fledgling.facts.adapter_store import AdapterStore


@pytest.fixture
def store(tmp_path):
    connection = connect(tmp_path / "store.sqlite")
    yield AdapterStore(connection)
    connection.close()


def state(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {
        "lora_A": torch.randn(2, 3, generator=generator),
        "lora_B": torch.randn(3, 2, generator=generator),
    }


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_put_tells_exactly_what_get_will_give(store):
    put = store.put("a", state())
    assert same(put, store.get("a"))
    assert not same(put, state()), (
        "half precision rounds; a store that did not would make this test vacuous"
    )
    assert all(tensor.dtype == torch.float32 for tensor in put.values())


def test_bytes_go_back_unchanged(store):
    store.put("a", state())
    blob = store.blob("a")
    store.put("a", state(1))
    assert store.blob("a") != blob
    store.put_blob("a", blob)
    assert store.blob("a") == blob


def test_what_is_not_there_is_none(store):
    assert store.get("a") is None and store.blob("a") is None and store.get_named("learner") is None
    store.remove("a")
    store.remove_named("learner")


def test_named_states_keep_their_dtype_and_values(store):
    tensors = {**state(), "step": torch.tensor(3.0), "bytes": torch.arange(5, dtype=torch.uint8)}
    store.put_named("learner", tensors, {"turns": 7, "waiting": ["ä"], "kl_weight": 0.1})
    read, values = store.get_named("learner")
    assert same(read, tensors) and read["bytes"].dtype == torch.uint8
    assert values == {"turns": 7, "waiting": ["ä"], "kl_weight": 0.1}
    store.put_named("learner", {})
    assert store.get_named("learner") == ({}, {})


def test_a_failed_transaction_leaves_nothing(store):
    store.put("old", state())
    with pytest.raises(RuntimeError), transaction(store.connection):
        store.put("new", state())
        store.remove("old")
        store.put_named("learner", state())
        raise RuntimeError
    assert store.blob("new") is None and store.get_named("learner") is None
    assert store.blob("old") is not None
