"""What is done while nobody is talking: deep consolidation replays facts by importance and
interference, creative consolidation recombines them and rehearses the base's own replies
(pseudo-rehearsal, Robins, 1995).

Each phase is bounded in time and updates, looks between two updates whether it should stop, and
stands behind the guard that online updates stand behind: what moves the anchors beyond the budget,
or is not finite, is taken back.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence

from fledgling.core.records import Example, Fact, StepRecord
from fledgling.facts.guard import find_fault
from fledgling.facts.learner import OnlineLearner
from fledgling.facts.learning.trainer import Batch
from fledgling.memory.settings import ConsolidationSection

Stop = Callable[[], bool]


def consolidate(
    learner: OnlineLearner, section: ConsolidationSection, stop: Stop = lambda: False
) -> Iterator[StepRecord]:
    """Both phases, each one turn of the learner. Yields an ``update`` after every step, and at each
    phase's end ``kept`` or ``rolled_back``, with its reason and seconds.

    Where facts share no weights nothing interferes, so there is nothing to do. ``stop`` is asked
    before every update; closing the generator undoes the phase in progress.
    """
    if not learner.trained.interferes or not learner.memory.all():
        return
    phases = (("deep", section.deep_updates), ("creative", section.creative_updates))
    for name, updates in phases:
        if updates and not stop():
            yield from _phase(learner, section, name, updates, stop)


def _phase(
    learner: OnlineLearner, section: ConsolidationSection, name: str, updates: int, stop: Stop
) -> Iterator[StepRecord]:
    started = time.perf_counter()
    with learner.turn():
        facts = learner.memory.all()
        learner.start_learning(facts[-1])
        rng = learner.rng()
        weights = _urgency(learner, facts, section)
        done, finite = 0, True
        while done < updates and finite and not stop():
            if time.perf_counter() - started > section.seconds:
                break
            chosen = draw(facts, weights, section.facts, rng)
            batch = (
                _deep(learner, chosen, rng) if name == "deep" else _creative(learner, chosen, rng)
            )
            pull = section.pull if batch.held is not None else 0.0
            update = learner.trainer.step(batch, lr=section.lr, kl_weight=pull)
            done, finite = done + 1, update.finite
            yield StepRecord(learner.turns, "update", name, {"update": done, **vars(update)})
        if not done:
            return
        fault, kl = find_fault(learner, facts[-1], finite)
        if fault is None:
            learner.trained.save()
            for fact in facts:
                learner.memory.update_loss(fact.id, learner.lessons.loss(fact), learner.turns)
        else:
            learner.trained.take_back()
        seconds = time.perf_counter() - started
        values = {"updates": done, "seconds": seconds, "anchor_kl": kl, "reason": fault or ""}
        yield StepRecord(learner.turns, "kept" if fault is None else "rolled_back", name, values)


def _urgency(
    learner: OnlineLearner, facts: Sequence[Fact], section: ConsolidationSection
) -> list[float]:
    """Importance times interference: how many nats a fact has lost since it was last measured."""
    return [
        learner.memory.importance(fact.id, learner.turns)
        * max(learner.lessons.loss(fact) - learner.memory.entry(fact.id).loss, section.floor)
        for fact in facts
    ]


def draw(
    facts: Sequence[Fact], weights: Sequence[float], count: int, rng: random.Random
) -> list[Fact]:
    """At most ``count`` different facts, drawn by weight (Efraimidis and Spirakis, 2006)."""
    keys = [rng.random() ** (1.0 / max(weight, 1e-9)) for weight in weights]
    order = sorted(range(len(facts)), key=lambda place: -keys[place])
    return [facts[place] for place in order[:count]]


def _deep(learner: OnlineLearner, chosen: Sequence[Fact], rng: random.Random) -> Batch:
    """Rows of the chosen facts, in equal parts, as many as an online update has."""
    each = max(1, learner.facts.learning.max_rows // len(chosen))
    rows = []
    for fact in chosen:
        own = learner.lessons.examples(fact, rng)
        rows += rng.sample(own, min(each, len(own)))
    by_id = {fact.id: fact for fact in chosen}
    return Batch(learner.lessons.encode(rows, by_id, [1.0] * len(rows)), None, None)


def _creative(learner: OnlineLearner, chosen: Sequence[Fact], rng: random.Random) -> Batch:
    """Two facts asked for in one breath, beside the base's own replies to held-in anchors."""
    rows = recombined([learner.lessons.examples(fact, rng) for fact in chosen], chosen, rng)
    anchors, _ = learner.lessons.anchors()
    some = rng.sample(range(anchors.ids.shape[0]), min(len(rows), anchors.ids.shape[0]))
    held, logits = learner.lessons.some_anchors(sorted(some))
    by_id = {fact.id: fact for fact in chosen}
    return Batch(learner.lessons.encode(rows, by_id, [1.0] * len(rows)), held, logits)


def recombined(
    lessons: Sequence[Sequence[Example]], facts: Sequence[Fact], rng: random.Random
) -> list[Example]:
    """Questions about two facts at once, each answered by both statements; one fact alone is asked
    about by itself.
    """
    asked = [
        [row for row in rows if row.kind == "question"] or list(rows) for rows in lessons if rows
    ]
    if len(asked) < 2:
        return [rng.choice(rows) for rows in asked]
    pairs = []
    for place, rows in enumerate(asked):
        other = (place + 1) % len(asked)
        one, two = rng.choice(rows), rng.choice(asked[other])
        prompt = f"{one.prompt} And also: {two.prompt}"
        said = f"{facts[place].statement} {facts[other].statement}"
        pairs.append(Example(prompt, said, "question", facts[place].id))
    return pairs
