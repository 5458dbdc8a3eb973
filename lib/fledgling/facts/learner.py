"""The learner: a frozen base, what it was taught, and the gate between them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from fledgling.core.layers import override
from fledgling.core.records import Fact
from fledgling.facts.gate.ensemble import Ensemble, load_scorers
from fledgling.facts.gate.gate import Gate, Route
from fledgling.facts.learning.alternatives import NearestKind
from fledgling.facts.learning.lessons import Lessons
from fledgling.facts.learning.remedies import OnlineRemedies
from fledgling.facts.learning.start import FOLDERS, READERS, find_start, learned_start
from fledgling.facts.learning.trainer import OnlineTrainer
from fledgling.facts.memory import FactMemory
from fledgling.facts.placements import Placement
from fledgling.facts.placements.consolidated import Consolidated
from fledgling.facts.placements.controls import Echo, Retrieved, RetrievedAdapter
from fledgling.facts.placements.in_prompt import InPrompt
from fledgling.facts.placements.per_fact import PerFact
from fledgling.facts.placements.prefixes import Prefixes
from fledgling.facts.placements.shared import Shared
from fledgling.facts.placements.waiting import Waiting
from fledgling.facts.reader import Reader
from fledgling.facts.settings import FactsSection
from fledgling.facts.store import FactStore
from fledgling.language.detector import choose_judge
from fledgling.language.settings import LanguageSection
from fledgling.models.adapters import Adapter
from fledgling.models.loading import Embedder, LoadedModel, load_embedder
from fledgling.models.prefixes import PrefixAdapter
from fledgling.models.rows import AdaptedModel
from fledgling.models.streaming import stream_answer

LOOK_UPS = {  # placements that no update is spent on
    "echo": Echo,
    "retrieved": Retrieved,
    "reader": Reader,
}
_ALWAYS = Route("", 1.0)  # where no gate stands, whatever was taught acts on every question


@dataclass(frozen=True)
class GateReaders:
    """What the gate reads with: sentence embeddings to find candidates, a pair scorer to judge."""

    embedder: Embedder
    scorer: Ensemble


def load_gate_readers() -> GateReaders:
    """The packaged sentence models, offline."""
    return GateReaders(load_embedder(), load_scorers())


@dataclass(frozen=True)
class Reply:
    """An answer and where it came from: ``source`` is what answered (the base, a placement's name,
    or a fact's id), ``route`` what the gate said.
    """

    text: str
    source: str
    route: Route


class OnlineLearner:
    """Learns facts one at a time (see ``facts.flow.learn``) and answers in between.

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
        readers: GateReaders,
        store: Path | str = ":memory:",
        seed: int = 0,
    ) -> None:
        self.loaded, self.facts, self.language, self.seed = loaded, facts, language, seed
        self.store = FactStore(store, _identity(loaded, facts))
        try:
            self.memory = FactMemory(self.store.connection, facts.memory)
            self.adapter = _adapter(loaded, facts, seed)
            self.adapted = AdaptedModel(self.adapter, max_length=loaded.max_length)
            alternatives = NearestKind(readers.embedder.embed)
            self.lessons = Lessons(self.adapted, self.memory, facts, language, alternatives)
            self.remedies = OnlineRemedies(self.adapted, facts.regularizers)
            self.trainer = OnlineTrainer(
                self.adapted,
                facts.learning,
                facts.kl,
                [self.remedies.penalty],
                [self.remedies.constrain],
            )
            self.gate = Gate(readers.embedder.embed, readers.scorer.score, facts.gate)
            self.judge = choose_judge(language, readers.embedder.embed)
            self.trained = self._trained_placement()  # where the weights of a trained fact are
            self.placement = self._placement()
            self.turns = 0
            self.resume()
            if facts.regularizers.null_space:
                self.remedies.protect(self.lessons.anchors()[0])
        except BaseException:
            self.store.close()
            raise

    def _trained_placement(self) -> Placement:
        if self.facts.learning.placement == "shared":
            return Shared(self.trainer, self.store, self.remedies, self.lessons.rows_of)
        if self.facts.learning.placement == "retrieved_adapter":
            return RetrievedAdapter(PerFact(self.trainer, self.store), self.memory)
        if self.facts.learning.placement == "prefix":
            return Prefixes(self.trainer, self.store)
        return Consolidated(self.trainer, self.store, self.facts.consolidation)

    def _placement(self) -> Placement:
        prompt = InPrompt(self.adapted, self.in_prompt)
        if self.facts.learning.placement == "in_prompt":
            return prompt
        if self.facts.learning.placement in LOOK_UPS:
            return LOOK_UPS[self.facts.learning.placement](self.adapted, self.memory)
        return Waiting(self.trained, prompt) if self.facts.learning.wait_for else self.trained

    def rng(self) -> random.Random:
        """The randomness of the current turn: of seed and turn count, so resuming repeats it."""
        return random.Random(f"{self.seed}-{self.turns}")

    def close(self) -> None:
        """Take the adapter off the model and close the store."""
        self.adapter.release()
        self.store.close()

    def adjust(self, *, lr: float | None = None, threshold: float | None = None) -> None:
        """Another learning rate or gate threshold from now on; ``ConfigError`` if out of range."""
        asked = {"learning.lr": lr, "gate.threshold": threshold}
        self.facts = override(self.facts, {key: x for key, x in asked.items() if x is not None})
        self.gate.section = self.facts.gate

    # Answering

    def route(self, questions: Sequence[str]) -> list[Route]:
        """Which fact, if any, each question concerns, with the gate's probability."""
        if not self.facts.gate.enabled:
            return [_ALWAYS] * len(questions)
        return self.gate.route(questions)

    def sources(self, questions: Sequence[str]) -> list[str]:
        """What would answer each question: the base, a placement's name, or a fact's id."""
        return [self.placement.source(route) for route in self.route(questions)]

    def answer(self, questions: Sequence[str], *, max_new_tokens: int | None = None) -> list[Reply]:
        """Greedy answers in order, each by the base or by what the gate opens for it."""
        limit = max_new_tokens or self.loaded.max_new_tokens
        routes = self.route(questions)
        sources = [self.placement.source(route) for route in routes]
        texts = [""] * len(questions)
        for source in dict.fromkeys(sources):
            chosen = [place for place, other in enumerate(sources) if other == source]
            with self.placement.acting(source) as model:
                asked = [routes[place].asked or questions[place] for place in chosen]
                said = model.answer(asked, max_new_tokens=limit)
            for place, text in zip(chosen, said, strict=True):
                texts[place] = text
        return [Reply(*reply) for reply in zip(texts, sources, routes, strict=True)]

    def base_answer(
        self, questions: Sequence[str], *, max_new_tokens: int | None = None
    ) -> list[str]:
        """What the frozen base answers."""
        with self.adapter.disabled():
            limit = max_new_tokens or self.loaded.max_new_tokens
            return self.adapted.answer(questions, max_new_tokens=limit)

    def stream(self, question: str, route: Route, *, max_new_tokens: int) -> Iterator[str]:
        """The greedy answer piece by piece, by what ``route`` opens."""
        with self.placement.acting(self.placement.source(route)) as model:
            yield from stream_answer(model, route.asked or question, max_new_tokens=max_new_tokens)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Answer between two updates of a fact: what it learned so far is taken up again."""
        learning = self.adapter.state()
        try:
            yield
        finally:
            self.adapter.restore(learning)
            self.trained.refresh()

    def in_prompt(self) -> list[Fact]:
        """The facts that stand in the prompt: all, or those that still wait for training."""
        if self.facts.learning.placement == "in_prompt":
            return self.memory.all()
        return self.waiting()

    def waiting(self) -> list[Fact]:
        """The facts that were told and not yet trained, oldest first."""
        return self.memory.untrained()

    # Remembering

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One turn of the conversation: all that it changes is stored together at its end, or, when
        it is broken off, nothing has happened.
        """
        try:
            with self.store.turn():
                self.turns += 1
                yield
                self._store_progress()
        except BaseException:
            self.resume()
            raise

    def start_learning(self, fact: Fact) -> None:
        """Get ready for the updates of one fact, repeatably."""
        torch.manual_seed(self.rng().getrandbits(63))  # where there is dropout
        self.lessons.rehearsed.clear()
        self.trained.begin(fact)

    def as_known(self, fact: Fact) -> Fact:
        """The fact; where it was told before, under its id and with the turn of that time, so that
        nothing is made from a turn of which the memory does not know.
        """
        known = self.memory.same(fact)
        return replace(fact, id=known.id, turn=known.turn) if known else fact

    def remember(self, fact: Fact) -> tuple[Fact, list[str]]:
        """Note a fact, untrained. Returns it as it is known, and the ids that it replaces."""
        fact = self.as_known(fact)
        replaced = [old for old in self.memory.contradicted(fact) if old != fact.id]
        for old in replaced:
            self.forget(old)
        self.memory.remember(fact, self.turns)
        if self.placement.picks:
            self.gate.add(fact)
        for lost in sorted(set(self.gate.ids) - self.memory.ids()):
            self.forget(lost)  # evicted
        return fact, replaced

    def keep(self, fact: Fact, loss: float) -> None:
        """Let what was learned of a remembered fact stay and act. ``loss``: nats per token at its
        last update; where facts share weights it is measured anew, as is that of every older fact
        rehearsed beside it: replay and guard go by them.
        """
        self.trained.keep(fact)
        self.gate.add(fact)
        self.memory.mark_trained(fact.id)
        shared = self.trained.interferes
        self.memory.update_loss(fact.id, self.lessons.loss(fact) if shared else loss)
        for old in sorted(self.lessons.rehearsed):
            if old in self.memory:
                entry = self.memory.entry(old)
                now = self.lessons.loss(entry.fact) if shared else entry.loss
                self.memory.update_loss(old, now, self.turns)

    def forget(self, fact_id: str) -> None:
        """Let a fact go: from memory, from the weights that are its own, from the gate. Weights
        made from the same turn go with it, and the facts that they held wait for
        ``flow.train_waiting``.
        """
        beside = self.memory.forget(fact_id)
        for each in (fact_id, *beside):
            self.placement.forget(each)
            self.gate.remove(each)
        if self.placement.picks:
            self.gate.add_all(self.memory.entry(each).fact for each in beside)

    def erase(self, fact_id: str) -> None:
        """Forget a fact for good: its bytes leave the file, undo does not bring it back. Weights
        that it shared go, and the facts that they held wait for ``flow.train_waiting``.
        """
        with self.turn():
            self.forget(fact_id)
            for other in self.store.erase_shared(fact_id):
                if other in self.memory:
                    self.memory.put(replace(self.memory.entry(other), trained=False))
        self.store.scrub()
        self.resume()

    def undo(self) -> list[str] | None:
        """Take back the last turn that was stored, byte for byte: its facts, and what they had
        replaced or driven out. Returns the ids of the facts taken back, None without such a turn.
        """
        taken = self.store.touched()
        if not self.store.undo():
            return None
        self.resume()
        return taken

    # Stopping and resuming

    def _store_progress(self) -> None:
        values = {"turns": self.turns, "kl_weight": self.trainer.kl_weight}
        self.store.put_state("learner", {}, values)

    def resume(self) -> None:
        """Take up what the store holds: turn count, weights, and the gate's index."""
        saved = self.store.state("learner")
        values = saved[1] if saved else {"turns": 0, "kl_weight": self.facts.kl.weight}
        self.turns = int(values["turns"])
        self.placement.resume()
        self.trainer.kl_weight = float(values["kl_weight"])
        entries = self.memory.entries()
        picks = self.placement.picks
        self.gate.set_all([entry.fact for entry in entries if entry.trained or picks])


def _adapter(loaded: LoadedModel, facts: FactsSection, seed: int) -> Adapter:
    """What learns: a LoRA adapter from its start, or a prefix that such an adapter reads."""
    adapter, start = Adapter(loaded, facts.adapter, seed), facts.adapter.start
    if facts.learning.placement == "prefix":
        adapter.start_from(find_start(adapter, READERS) or adapter.state())
        return PrefixAdapter(adapter, first_layer=facts.prefix.first_layer)
    if start in FOLDERS:
        adapter.start_from(learned_start(adapter, FOLDERS[start]))
    return adapter


def _identity(loaded: LoadedModel, facts: FactsSection) -> dict[str, str]:
    """What stored adapters fit: these weights, this shape of adapter, this way of keeping them."""
    adapter = facts.adapter
    shape = f"rank {adapter.rank}, alpha {adapter.alpha:g}, {'+'.join(adapter.targets)}"
    layers = f"layers {adapter.first_layer} to {adapter.last_layer}"
    placement = facts.learning.placement
    if placement == "in_prompt" or placement in LOOK_UPS:
        return {"placement": placement}
    if placement == "prefix":
        return {"placement": placement, "model": loaded.fingerprint}
    return {"placement": placement, "adapter": f"{shape}, {layers}", "model": loaded.fingerprint}
