"""The online learner: a frozen base, its adapter, a fact memory, and the gate between them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from fledgling.core.database import connect, transaction
from fledgling.core.records import Fact
from fledgling.facts.adapter_store import AdapterStore
from fledgling.facts.changes import Change, get_change, put_change
from fledgling.facts.gate.gate import Gate, Route
from fledgling.facts.gate.pair_scorer import Ensemble, load_scorers
from fledgling.facts.learning.lessons import Rehearsal
from fledgling.facts.learning.remedies import OnlineRemedies
from fledgling.facts.learning.trainer import OnlineTrainer
from fledgling.facts.memory import FactMemory, StoredFact
from fledgling.facts.settings import FactsSection
from fledgling.language.settings import LanguageSection
from fledgling.models.adapters import Adapter
from fledgling.models.loading import Embedder, LoadedModel, load_embedder
from fledgling.models.rows import AdaptedModel

BASE, SHARED = "base", "shared"
IN_CONTEXT = "You are a helpful assistant. This is what the user has told you:"


@dataclass(frozen=True)
class Reader:
    """What the gate reads with: sentence embeddings to find candidates, a pair scorer to judge
    them.
    """

    embedder: Embedder
    scorer: Ensemble


def load_reader() -> Reader:
    """The packaged sentence models, offline."""
    return Reader(load_embedder(), load_scorers())


class OnlineLearner:
    """Learns facts one at a time (see ``loops.online.learn``) and answers in between.

    ``store`` is the SQLite file of memory, adapters and turn count; ":memory:" keeps nothing.
    Opening a file that holds an earlier session continues it: the next update is the one that would
    have come without stopping. The learner puts its adapter on ``loaded``; ``close`` takes it off
    again.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        facts: FactsSection,
        language: LanguageSection,
        *,
        reader: Reader,
        store: Path | str = ":memory:",
        seed: int = 0,
    ) -> None:
        self.loaded, self.facts, self.language, self.seed = loaded, facts, language, seed
        self.connection = connect(store)
        self.memory = FactMemory(self.connection, facts.memory)
        self.store = AdapterStore(self.connection)
        self.adapter = Adapter(loaded, facts.adapter, seed)
        self.adapted = AdaptedModel(self.adapter, max_length=self.loaded.max_length)
        self.rehearsal = Rehearsal(self.adapted, self.memory, facts, language)
        self.remedies = OnlineRemedies(self.adapted, facts.regularizers)
        self.trainer = OnlineTrainer(
            self.adapted,
            facts.learning,
            facts.kl,
            [self.remedies.penalty],
            [self.remedies.constrain],
        )
        self.gate = Gate(reader.embedder.embed, reader.scorer.score, facts.gate)
        self.turns = 0
        self.waiting: list[Fact] = []  # the hybrid method's facts that are still only in the prompt
        self.last_change: Change | None = None
        self._told: tuple[str, AdaptedModel] | None = None
        self._active: str | None = None
        self._resume()
        if facts.regularizers.null_space:
            self.remedies.protect(self.rehearsal.anchors()[0])

    @property
    def per_fact(self) -> bool:
        """Whether each fact has an adapter of its own."""
        return self.facts.learning.adapters == "per_fact"

    def rng(self) -> random.Random:
        """The randomness of the current turn: a function of seed and turn count, so that resuming
        repeats it.
        """
        return random.Random(f"{self.seed}-{self.turns}")

    def close(self) -> None:
        """Take the adapter off the model and close the store."""
        self.adapter.release()
        self.connection.close()

    # Answering

    def route(self, questions: Sequence[str]) -> list[Route]:
        """Which fact, if any, each question concerns, with the gate's probability."""
        return self.gate.route(questions)

    def keys(self, questions: Sequence[str]) -> list[str]:
        """What answers each question: ``BASE``, ``SHARED`` or the id of the fact whose adapter
        acts.
        """
        if self.facts.learning.method == "in_context":
            return [BASE] * len(questions)
        if not self.facts.gate.enabled:
            return [SHARED] * len(questions)
        routed = [route.fact_id for route in self.route(questions)]
        return [
            BASE if fact_id is None else fact_id if self.per_fact else SHARED for fact_id in routed
        ]

    def answer(self, questions: Sequence[str], *, max_new_tokens: int | None = None) -> list[str]:
        """Greedy answers in order, each by the base or by the adapter that the gate opens for
        it.
        """
        limit = max_new_tokens or self.loaded.max_new_tokens
        told = self.in_prompt()
        answers, keys = [""] * len(questions), self.keys(questions)
        for key in dict.fromkeys(keys):
            chosen = [index for index, other in enumerate(keys) if other == key]
            asked = [questions[index] for index in chosen]
            if told and key == BASE:
                texts = self.answer_in_context(asked, told, limit)
            else:
                with self.acting(key):
                    texts = self.adapted.answer(asked, max_new_tokens=limit)
            for index, text in zip(chosen, texts, strict=True):
                answers[index] = text
        return answers

    def in_prompt(self) -> list[Fact]:
        """The facts that stand in the prompt: all of them, those that wait, or none, by method."""
        return self.memory.all() if self.facts.learning.method == "in_context" else self.waiting

    def base_answer(
        self, questions: Sequence[str], *, max_new_tokens: int | None = None
    ) -> list[str]:
        """What the frozen base answers."""
        with self.acting(BASE):
            limit = max_new_tokens or self.loaded.max_new_tokens
            return self.adapted.answer(questions, max_new_tokens=limit)

    def answer_in_context(
        self, questions: Sequence[str], facts: Sequence[Fact], limit: int
    ) -> list[str]:
        """What the frozen base answers with the facts in its system prompt."""
        with self.acting(BASE):
            return self.told(facts).answer(questions, max_new_tokens=limit)

    def told(self, facts: Sequence[Fact]) -> AdaptedModel:
        """The model with the facts in its system prompt, read once however many questions
        follow.
        """
        lines = [
            f"{fact.question} {fact.object}" if fact.question else fact.statement for fact in facts
        ]
        system = "\n".join([IN_CONTEXT, *(f"- {line}" for line in lines)])
        if self._told is None or self._told[0] != system:
            self._told = (
                system,
                AdaptedModel(self.adapter, system=system, max_length=self.loaded.max_length),
            )
        return self._told[1]

    def acting(self, key: str) -> AbstractContextManager[None]:
        """Let the base, the shared adapter or one fact's adapter act for as long as the block
        lasts.
        """
        if key == BASE:
            return self.adapter.disabled()
        if key not in (SHARED, self._active):
            state = self.store.get(key)
            if state is None:
                return self.adapter.disabled()
            self.adapter.restore(state)
            self._active = key
        return nullcontext()

    # Remembering

    def begin(self, fact: Fact) -> Change:
        """Get ready to learn ``fact``; returns what is needed to take it back."""
        tensors, values = ({}, {}) if self.per_fact else self.trainer.state()
        self._active = None
        self.rehearsal.rehearsed.clear()
        torch.manual_seed(
            self.rng().getrandbits(63)
        )  # where there is dropout, a resumed turn repeats it
        self.trainer.begin()
        return Change(fact.id, tensors, values)

    def take_back(self, change: Change) -> None:
        """Undo the updates of a fact that was not yet remembered."""
        if self.per_fact:
            self.trainer.begin()
        else:
            self.trainer.restore(change.tensors, change.values)

    def settle(self, fact: Fact, change: Change) -> None:
        """What the remedies do to a shared adapter once a fact is kept."""
        if not self.per_fact:
            self.remedies.settle(change.tensors, lambda: self.rehearsal.rows_of(fact, self.rng()))

    def remember(
        self, fact: Fact, change: Change, *, trained: bool = True, loss: float | None = None
    ) -> list[str]:
        """Store fact, adapter, optimizer and turn count together, with the loss (nats per token)
        just measured.

        Returns the ids of the facts it replaces.
        """
        known = self.memory.same(fact)
        fact = replace(fact, id=known.id) if known else fact
        replaced = [
            self.memory.entry(old) for old in self.memory.contradicted(fact) if old != fact.id
        ]
        if known:
            replaced.append(self.memory.entry(known.id))
        blobs = tuple(self.store.blob(entry.fact.id) for entry in replaced)
        with transaction(self.connection):
            for entry in replaced:
                if entry.fact.id != fact.id:
                    self.forget(entry.fact.id)
            self.memory.remember(fact, self.turns)
            self._note_losses(fact, loss)
            if trained:
                self.waiting = [waiting for waiting in self.waiting if waiting.id != fact.id]
            if trained and self.per_fact:
                self.store.put(fact.id, self.adapter.state())
                self._active = None  # what acts from now on is the stored adapter
            self.last_change = Change(
                fact.id, change.tensors, change.values, tuple(replaced), blobs
            )
            self.store_state()
        if trained:
            self.gate.add(fact)
        if self._full():
            held = [*self.gate.ids, *(waiting.id for waiting in self.waiting)]
            for lost in [fact_id for fact_id in held if fact_id not in self.memory]:
                self.forget(lost)
        return [entry.fact.id for entry in replaced if entry.fact.id != fact.id]

    def _note_losses(self, fact: Fact, loss: float | None) -> None:
        """What the guard compares with later, and which facts were rehearsed beside this one."""
        if loss is not None:
            self.memory.update_loss(fact.id, loss)
        for old in self.rehearsal.rehearsed:
            if old in self.memory:
                self.memory.update_loss(old, self.memory.entry(old).loss, self.turns)

    def forget(self, fact_id: str) -> None:
        """Let a fact go: from memory, from the adapters, from the gate."""
        self.memory.forget(fact_id)
        self.store.remove(fact_id)
        self.gate.remove(fact_id)
        self.waiting = [fact for fact in self.waiting if fact.id != fact_id]
        if self._active == fact_id:
            self._active = None

    def undo(self) -> str | None:
        """Take back the last taught fact: the adapter as it was, byte for byte, and what the fact
        had replaced.

        Returns the id of the fact taken back, or None when there is none to take back.
        """
        change = self.last_change
        if change is None:
            return None
        with transaction(self.connection):
            self.forget(change.fact_id)
            for entry, blob in zip(change.replaced, change.blobs, strict=True):
                self._put_back(entry, blob)
            if change.tensors:
                self.trainer.restore(change.tensors, change.values)
            self.last_change = None
            self.store_state()
        return change.fact_id

    def _put_back(self, entry: StoredFact, blob: bytes | None) -> None:
        self.memory.put(entry)
        if blob is not None:
            self.store.put_blob(entry.fact.id, blob)
        if blob is not None or self.facts.learning.method == "weights":
            self.gate.add(entry.fact)
        elif self.facts.learning.method == "hybrid":
            self.waiting.append(entry.fact)

    def _full(self) -> bool:
        return len(self.memory) >= self.facts.memory.capacity

    # Stopping and resuming

    def store_state(self) -> None:
        """Write the turn count, and a shared adapter with its optimizer, into the store."""
        with transaction(self.connection):
            tensors, values = self.trainer.state()
            tensors = {} if self.per_fact else tensors
            waiting = [fact.id for fact in self.waiting]
            self.store.put_named(
                "learner", tensors, {**values, "turns": self.turns, "waiting": waiting}
            )
            if self.last_change is None:
                self.store.remove_named("undo")
            else:
                put_change(self.store, self.last_change)

    def _resume(self) -> None:
        saved = self.store.get_named("learner")
        if saved is None:
            return
        tensors, values = saved
        self.turns = int(values["turns"])
        if tensors:
            self.trainer.restore(tensors, values)
        self.trainer.kl_weight = float(values["kl_weight"])
        self.waiting = [
            fact for fact_id in values["waiting"] if (fact := self.memory.get(fact_id)) is not None
        ]
        self.last_change = get_change(self.store)
        unwaiting = {fact.id for fact in self.waiting}
        self.gate.add_all([fact for fact in self.memory.all() if fact.id not in unwaiting])
