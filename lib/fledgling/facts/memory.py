"""The fact memory: what was taught, how much each fact matters, which to rehearse, which to let go.

Every question the memory answers is an indexed query, so a turn costs about the same at 1,000 facts
as at 10.

Importance of a fact at turn ``t``, with ``unseen`` = turns since it was last said: ``repetition **
a * 0.5 ** (b * unseen / half_life) * 0.5 ** (max(0, unseen - decay_after) / decay_half_life)``
where ``repetition = 1 - 2 ** -count``; (a, b) is (1, 0) for "repetition", (0, 1) for "recency" and
(weight, 1 - weight) for "hybrid". In logarithms it is linear in ``t``: the order of two facts on
the same side of ``decay_after`` never changes, and an index can hold it.
"""

from __future__ import annotations

import json
import math
import random
import sqlite3
from collections.abc import Collection
from dataclasses import asdict, replace

from fledgling.core.database import transaction
from fledgling.core.errors import DataError
from fledgling.core.records import Fact
from fledgling.facts.settings import MemorySection
from fledgling.facts.stored import (
    NEVER_MEASURED,
    WRITE,
    StoredFact,
    checksum,
    key_of,
    read_fact,
    read_stored,
    replaces,
    slot_of,
)

STRATEGIES = ("importance", "highest_loss", "least_rehearsed", "mixed", "random")


class FactMemory:
    """Facts in SQLite, at most ``section.capacity`` of them.

    >>> from fledgling.facts.store import FactStore
    >>> from fledgling.settings import load_config
    >>> memory = FactMemory(FactStore().connection, load_config().facts.memory)
    >>> lives = {"subject": "Lena", "relation": "lives_in", "exclusive": True}
    >>> memory.remember(Fact("a", "", "Lena lives in Oslo.", **lives), 1)
    []
    >>> memory.remember(Fact("b", "", "Lena lives in Bergen.", **lives), 2)
    ['a']
    """

    def __init__(self, connection: sqlite3.Connection, section: MemorySection) -> None:
        self.connection = connection
        self.section = section

    def __len__(self) -> int:
        return int(self.connection.execute("SELECT count(*) FROM facts").fetchone()[0])

    def __contains__(self, fact_id: str) -> bool:
        return (
            self.connection.execute("SELECT 1 FROM facts WHERE id = ?", (fact_id,)).fetchone()
            is not None
        )

    def remember(self, fact: Fact, turn: int) -> list[str]:
        """Store ``fact``, or count a repetition of it. Returns the ids of the older facts it
        replaces.

        An exclusive fact replaces the one with the same subject and relation; a correction replaces
        the earlier answer to the same question; a retraction replaces what it takes back. Above
        capacity the eviction rule lets one go.
        """
        with transaction(self.connection):
            known = self.connection.execute(
                "SELECT id FROM facts WHERE key = ?", (key_of(fact),)
            ).fetchone()
            replaced = [
                old for old in self.contradicted(fact) if known is None or old != known["id"]
            ]
            for old in replaced:
                self.forget(old)
            if known is not None:
                self.repeat(known["id"], turn)
            else:
                self.put(StoredFact(fact, born=turn, seen=turn))
                self._evict(turn, keep=fact.id)
        return replaced

    def repeat(self, fact_id: str, turn: int) -> int:
        """Count that a known fact was said again. Returns how often it has been said by now."""
        with transaction(self.connection):
            stored = self.entry(fact_id)
            stored = replace(stored, seen=max(turn, stored.seen), count=stored.count + 1)
            self.put(stored)
        return stored.count

    def forget(self, fact_id: str) -> list[str]:
        """Remove a fact, where it is known. The others of its turn keep their statements and let
        the turn go, which told this fact, too. Returns their ids: no weights hold them now.
        """
        fact = self.get(fact_id)
        self.connection.execute("DELETE FROM facts WHERE id = ?", (fact_id,))
        beside = self._told_in(fact.turn) if fact and fact.turn else []
        for stored in beside:
            self.put(replace(stored, fact=replace(stored.fact, turn=""), trained=False))
        return [stored.fact.id for stored in beside]

    def _told_in(self, turn: str) -> list[StoredFact]:
        query = "SELECT * FROM facts WHERE json_extract(fact, '$.turn') = ? ORDER BY born, rowid"
        return [read_stored(row) for row in self.connection.execute(query, (turn,))]

    def put(self, stored: StoredFact) -> None:
        """Write a fact with its history as it is; a fact already there keeps its place in the order
        of arrival.
        """
        fact = stored.fact
        text = json.dumps(asdict(fact), ensure_ascii=False)
        history = (stored.born, stored.seen, stored.count)
        latest = (float(stored.loss), stored.rehearsed, int(stored.trained))
        row = (
            fact.id,
            text,
            key_of(fact),
            slot_of(fact),
            *history,
            *self._standings(stored),
            *latest,
        )
        self.connection.execute(WRITE, (*row, checksum(row)))

    def get(self, fact_id: str) -> Fact | None:
        """The fact of that id, or None."""
        row = self.connection.execute("SELECT fact FROM facts WHERE id = ?", (fact_id,)).fetchone()
        return read_fact(row["fact"]) if row else None

    def entry(self, fact_id: str) -> StoredFact:
        """The fact of that id with its history. Raises ``DataError`` when there is none."""
        row = self.connection.execute("SELECT * FROM facts WHERE id = ?", (fact_id,)).fetchone()
        if row is None:
            raise DataError(
                f"no fact {fact_id!r} is remembered; FactMemory.all() lists those that are"
            )
        return read_stored(row)

    def all(self) -> list[Fact]:
        """Every fact, oldest first."""
        return [stored.fact for stored in self.entries()]

    def newest(self, count: int) -> list[Fact]:
        """The last ``count`` facts, oldest first."""
        rows = self.connection.execute(
            "SELECT fact FROM facts ORDER BY born DESC, rowid DESC LIMIT ?", (count,)
        ).fetchall()
        return [read_fact(row["fact"]) for row in reversed(rows)]

    def ids(self) -> set[str]:
        """The ids of every fact."""
        return {row["id"] for row in self.connection.execute("SELECT id FROM facts")}

    def entries(self) -> list[StoredFact]:
        """Every fact with its history, oldest first: what a checkpoint saves."""
        return [
            read_stored(row)
            for row in self.connection.execute("SELECT * FROM facts ORDER BY born, rowid")
        ]

    def untrained(self) -> list[Fact]:
        """The facts that no weights hold yet, oldest first."""
        rows = self.connection.execute(
            "SELECT fact FROM facts WHERE NOT trained ORDER BY born, rowid"
        )
        return [read_fact(row["fact"]) for row in rows]

    def mark_trained(self, fact_id: str) -> None:
        """Note that weights hold the fact."""
        self.put(replace(self.entry(fact_id), trained=True))

    def same(self, fact: Fact) -> Fact | None:
        """The remembered fact that says the same, whatever its id."""
        row = self.connection.execute(
            "SELECT fact FROM facts WHERE key = ?", (key_of(fact),)
        ).fetchone()
        return read_fact(row["fact"]) if row else None

    def update_loss(self, fact_id: str, loss: float, turn: int | None = None) -> None:
        """Note the loss (nats a token) just measured for a fact, and that it was rehearsed at
        ``turn`` if given.
        """
        if not math.isfinite(loss):
            loss = NEVER_MEASURED
        stored = replace(self.entry(fact_id), loss=loss)
        self.put(stored if turn is None else replace(stored, rehearsed=turn))

    def importance(self, fact_id: str, turn: int) -> float:
        """Importance at ``turn``, in 0..1."""
        return self._importance(self.entry(fact_id), turn)

    def select(
        self,
        count: int,
        strategy: str,
        rng: random.Random,
        *,
        turn: int = 0,
        exclude: Collection[str] = (),
    ) -> list[Fact]:
        """At most ``count`` facts to rehearse, without those in ``exclude``.

        ``importance`` draws, weighted, from the most important; ``highest_loss`` and
        ``least_rehearsed`` take the first by that order; ``mixed`` takes half by each of these two;
        ``random`` is uniform. Raises ``DataError`` for another strategy.
        """
        if strategy not in STRATEGIES:
            raise DataError(
                f"replay strategy {strategy!r} is not known; choose one of {', '.join(STRATEGIES)}"
            )
        if count <= 0:
            return []
        if strategy == "random":
            ids = [
                row["id"]
                for row in self.connection.execute("SELECT id FROM facts ORDER BY born, rowid")
            ]
            ids = [fact_id for fact_id in ids if fact_id not in exclude]
            return [self.entry(fact_id).fact for fact_id in rng.sample(ids, min(count, len(ids)))]
        if strategy == "importance":
            return self._draw_important(count, rng, turn, exclude)
        if strategy == "highest_loss":
            return self._first("loss DESC, rehearsed, rowid", count, exclude)
        if strategy == "least_rehearsed":
            return self._first("rehearsed, rowid", count, exclude)
        worst = self._first("loss DESC, rehearsed, rowid", (count + 1) // 2, exclude)
        taken = {*exclude, *(fact.id for fact in worst)}
        return worst + self._first("rehearsed, rowid", count - len(worst), taken)

    def _first(self, order: str, count: int, exclude: Collection[str]) -> list[Fact]:
        rows = self.connection.execute(
            f"SELECT id, fact FROM facts ORDER BY {order} LIMIT ?", (count + len(exclude),)
        )
        return [read_fact(row["fact"]) for row in rows if row["id"] not in exclude][:count]

    def _draw_important(
        self, count: int, rng: random.Random, turn: int, exclude: Collection[str]
    ) -> list[Fact]:
        pool = []
        for query in (
            "SELECT * FROM facts WHERE seen >= ? ORDER BY fresh DESC LIMIT ?",
            "SELECT * FROM facts WHERE seen < ? ORDER BY stale DESC LIMIT ?",
        ):
            limit = self.section.importance_pool * count + len(exclude)
            pool += [
                read_stored(row)
                for row in self.connection.execute(query, (turn - self.section.decay_after, limit))
            ]
        pool = [stored for stored in pool if stored.fact.id not in exclude]
        weighted = [
            (rng.random() ** (1.0 / max(self._importance(item, turn), 1e-12)), place, item.fact)
            for place, item in enumerate(pool)
        ]
        return [fact for _, _, fact in sorted(weighted, reverse=True)[:count]]

    def _importance(self, stored: StoredFact, turn: int) -> float:
        unseen = max(0, turn - stored.seen)
        late = max(0, unseen - self.section.decay_after)
        repetition, recency = self._shares()
        logarithm = (
            repetition * _log_repetition(stored.count) - recency * unseen / self.section.half_life
        )
        return 2.0 ** (logarithm - late / self.section.decay_half_life)

    def _standings(self, stored: StoredFact) -> tuple[float, float]:
        """Two numbers that order facts by importance at any turn: before, and after, decay has set
        in.
        """
        repetition, recency = self._shares()
        fresh = (
            repetition * _log_repetition(stored.count)
            + recency * stored.seen / self.section.half_life
        )
        return fresh, fresh + stored.seen / self.section.decay_half_life

    def _shares(self) -> tuple[float, float]:
        weight = {"repetition": 1.0, "recency": 0.0}.get(
            self.section.importance, self.section.repetition_weight
        )
        return weight, 1.0 - weight

    def _evict(self, turn: int, keep: str) -> None:
        while len(self) > self.section.capacity:
            self.forget(self._least_wanted(turn, keep))

    def _least_wanted(self, turn: int, keep: str) -> str:
        eviction, candidates = self.section.eviction, self.section.eviction_candidates
        if eviction in ("fifo", "lru"):
            order = "born, rowid" if eviction == "fifo" else "seen, rowid"
            query, values = f"SELECT id FROM facts WHERE id != ? ORDER BY {order} LIMIT 1", (keep,)
            return self.connection.execute(query, values).fetchone()["id"]
        if eviction == "hybrid":  # the least important of those longest unseen
            query = "SELECT * FROM facts WHERE id != ? ORDER BY seen, rowid LIMIT ?"
            rows = self.connection.execute(query, (keep, candidates)).fetchall()
        else:
            edge = turn - self.section.decay_after
            rows = [
                row
                for query in (
                    "SELECT * FROM facts WHERE id != ? AND seen >= ? ORDER BY fresh, rowid LIMIT 1",
                    "SELECT * FROM facts WHERE id != ? AND seen < ? ORDER BY stale, rowid LIMIT 1",
                )
                for row in self.connection.execute(query, (keep, edge))
            ]
        return min(
            (self._importance(read_stored(row), turn), row["born"], row["id"]) for row in rows
        )[-1]

    def contradicted(self, fact: Fact) -> list[str]:
        """The ids of the remembered facts that ``fact`` would replace, oldest first."""
        query = "SELECT id, fact FROM facts WHERE slot = ? ORDER BY born, rowid"
        rows = self.connection.execute(query, (slot_of(fact),)).fetchall()
        return [row["id"] for row in rows if replaces(fact, read_fact(row["fact"]))]


def _log_repetition(count: int) -> float:
    return math.log2(1.0 - 2.0 ** -min(max(count, 1), 50))
