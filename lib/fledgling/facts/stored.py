"""A remembered fact with its history, as a row of the store; and which facts make which untrue."""

from __future__ import annotations

import json
import re
import sqlite3
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from fledgling.core.errors import DataError
from fledgling.core.records import Fact

_COLUMNS = [
    "id",
    "fact",
    "key",
    "slot",
    "born",
    "seen",
    "count",
    "fresh",
    "stale",
    "loss",
    "rehearsed",
    "trained",
    "sum",
]
WRITE = (  # one row; one already there keeps its place in the order of arrival
    f"INSERT INTO facts ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
    " ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])
)
NEVER_MEASURED = 1e9  # the loss of a fact not yet measured: it comes before all measured ones


@dataclass(frozen=True)
class StoredFact:
    """A fact with its history: turns ``born`` and ``seen``, times said, last loss in nats, last
    rehearsal, and whether it was trained or still waits in the prompt.
    """

    fact: Fact
    born: int
    seen: int
    count: int = 1
    loss: float = NEVER_MEASURED
    rehearsed: int = -1
    trained: bool = False


def replaces(new: Fact, old: Fact) -> bool:
    """Whether ``new`` makes ``old`` untrue, given the same subject and relation (or the same
    question).
    """
    same_object = _plain(new.object) == _plain(old.object)
    if new.kind == "retraction":
        return old.kind == "retraction" or same_object or not new.object
    if old.kind == "retraction":
        return new.exclusive or same_object or not old.object
    return new.exclusive or bool(new.question)


def _plain(text: str) -> str:
    words = re.findall(r"\w+", text.casefold())
    return " ".join(word for word in words if word not in {"the", "a", "an"})


def key_of(fact: Fact) -> str:
    """What two facts share that say the same."""
    return f"{_plain(fact.question or '')}|{_plain(fact.statement)}"


def slot_of(fact: Fact) -> str:
    """What two facts share of which one may make the other untrue."""
    if fact.question:
        return f"?|{_plain(fact.question)}"
    return f"{fact.relation}|{_plain(fact.subject)}"


def read_fact(text: str) -> Fact:
    """A fact from its JSON."""
    values = json.loads(text)
    return Fact(**{**values, "entities": tuple(values["entities"])})


def checksum(row: Sequence[object]) -> int:
    """CRC-32 of a row's values, ``sum`` left out."""
    return zlib.crc32(repr(tuple(row)).encode("utf-8", "surrogatepass"))


def read_stored(row: sqlite3.Row) -> StoredFact:
    """A whole row. Raises ``DataError`` where its checksum does not hold."""
    values = tuple(row)
    if checksum(values[:-1]) != values[-1]:
        raise DataError(
            f"the stored fact {row['id']!r} is damaged; `fledgling store check FILE` tells what is"
            " lost and mends what it can"
        )
    return StoredFact(
        read_fact(row["fact"]),
        row["born"],
        row["seen"],
        row["count"],
        row["loss"],
        row["rehearsed"],
        bool(row["trained"]),
    )
