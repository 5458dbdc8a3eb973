"""What one taught fact changed, kept so that it can be taken back, also after a restart."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch

from fledgling.core.records import Fact
from fledgling.facts.adapter_store import AdapterStore
from fledgling.facts.memory import StoredFact


@dataclass(frozen=True)
class Change:
    """What one taught fact changed, so that it can be taken back: the tensors before it (shared
    adapter only), and the facts it replaced with their adapters' bytes.
    """

    fact_id: str
    tensors: dict[str, torch.Tensor]
    values: dict[str, object]
    replaced: tuple[StoredFact, ...] = ()
    blobs: tuple[bytes | None, ...] = ()


def put_change(store: AdapterStore, change: Change) -> None:
    """Store it under "undo"."""
    blobs = {
        f"blob.{place}": torch.frombuffer(bytearray(blob), dtype=torch.uint8)
        for place, blob in enumerate(change.blobs)
        if blob is not None
    }
    replaced = [asdict(entry) for entry in change.replaced]
    store.put_named(
        "undo",
        {**{f"tensor.{name}": tensor for name, tensor in change.tensors.items()}, **blobs},
        {"fact_id": change.fact_id, "values": change.values, "replaced": replaced},
    )


def get_change(store: AdapterStore) -> Change | None:
    """What ``put_change`` stored, or None."""
    saved = store.get_named("undo")
    if saved is None:
        return None
    tensors, values = saved
    entries = [
        StoredFact(
            **{
                **entry,
                "fact": Fact(**{**entry["fact"], "entities": tuple(entry["fact"]["entities"])}),
            }
        )
        for entry in values["replaced"]
    ]
    blobs = [tensors.get(f"blob.{place}") for place in range(len(entries))]
    return Change(
        values["fact_id"],
        {name[7:]: tensor for name, tensor in tensors.items() if name.startswith("tensor.")},
        values["values"],
        tuple(entries),
        tuple(None if blob is None else bytes(blob.numpy()) for blob in blobs),
    )
