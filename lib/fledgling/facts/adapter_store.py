"""Adapters and the learner's state in the same SQLite file as the memory, so that a turn is stored
whole or not at all.

Values are safetensors bytes; nothing that is read is executed.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from fledgling.core.errors import DataError

State = dict[str, torch.Tensor]


class AdapterStore:
    """One small adapter a fact, and named states (the shared adapter, the optimizer, what undo
    needs).
    """

    def __init__(self, connection: sqlite3.Connection, dtype: torch.dtype = torch.float16) -> None:
        self.connection, self.dtype = connection, dtype

    def put(self, fact_id: str, state: State) -> State:
        """Store a fact's adapter in ``dtype`` and return it exactly as it will be read back, in
        float32.
        """
        blob = save({name: tensor.to(self.dtype).contiguous() for name, tensor in state.items()})
        self.put_blob(fact_id, blob)
        return _float(load(blob))

    def put_blob(self, fact_id: str, blob: bytes) -> None:
        """Store the bytes of a fact's adapter unchanged."""
        self.connection.execute("INSERT OR REPLACE INTO adapters VALUES (?, ?)", (fact_id, blob))

    def blob(self, fact_id: str) -> bytes | None:
        """The stored bytes of a fact's adapter."""
        row = self.connection.execute(
            "SELECT weights FROM adapters WHERE fact_id = ?", (fact_id,)
        ).fetchone()
        return row[0] if row else None

    def get(self, fact_id: str) -> State | None:
        """A fact's adapter in float32, or None when it has none. Raises ``DataError`` when its
        bytes are damaged.
        """
        blob = self.blob(fact_id)
        if blob is None:
            return None
        try:
            return _float(load(blob))
        except SafetensorError as error:
            raise DataError(
                f"the stored adapter of {fact_id} is damaged ({error}); take the fact back with"
                " forget() and teach it again"
            ) from error

    def remove(self, fact_id: str) -> None:
        self.connection.execute("DELETE FROM adapters WHERE fact_id = ?", (fact_id,))

    def put_named(self, name: str, tensors: State, values: dict[str, Any] | None = None) -> None:
        """Store tensors (as they are) and JSON values under a name."""
        row = (
            name,
            save({key: tensor.contiguous() for key, tensor in tensors.items()}),
            json.dumps(values or {}),
        )
        self.connection.execute("INSERT OR REPLACE INTO states VALUES (?, ?, ?)", row)

    def get_named(self, name: str) -> tuple[State, dict[str, Any]] | None:
        """What ``put_named`` stored, or None."""
        row = self.connection.execute(
            'SELECT tensors, "values" FROM states WHERE name = ?', (name,)
        ).fetchone()
        return None if row is None else (load(row[0]), json.loads(row[1]))

    def remove_named(self, name: str) -> None:
        self.connection.execute("DELETE FROM states WHERE name = ?", (name,))


def _float(state: State) -> State:
    return {name: tensor.float() for name, tensor in state.items()}
