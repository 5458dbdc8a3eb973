"""The whole online flow on one screen: detect, reply, render, learn, guard, remember, yield."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from fledgling.core.records import Fact, StepRecord, Turn
from fledgling.facts.guard import find_fault
from fledgling.facts.learner import OnlineLearner
from fledgling.facts.learning.losses import kl_weight
from fledgling.facts.learning.rates import context_rate
from fledgling.language.facts import detect_all, take_at_word


def learn(
    learner: OnlineLearner, turns: Iterable[Turn], *, reply: bool = True, taught: bool = False
) -> Iterator[StepRecord]:
    """Take turns one at a time and yield what happens: ``reply``, ``fact``, ``update``,
    ``rolled_back``, ``remembered``, ``given_up``, and ``turn`` when one is done and stored.
    ``reply=False`` leaves the model's own reply out; with ``taught`` a turn in which no fact is
    detected is taken at its word, as a lesson is.

    Stopping between two records loses at most the turn in flight.
    """
    for turn in turns:
        started = time.perf_counter()
        learner.turns += 1
        facts = detect_all(turn, learner.language)  # Turn → Facts
        text = learner.answer([turn.text])[0] if reply else ""
        yield StepRecord(learner.turns, "reply", values={"turn": turn.text, "reply": text})
        detected = len(facts)
        if taught and not facts:
            facts = [take_at_word(turn, learner.language)]
        for fact in facts:
            yield StepRecord(
                learner.turns,
                "fact",
                fact.id,
                {"statement": fact.statement, "relation": fact.relation},
            )
            if learner.facts.learning.method == "weights":
                yield from learn_fact(learner, fact)
            else:
                yield from _keep_in_context(learner, fact)
        if not facts and learner.facts.learning.own_replies and text and not learner.per_fact:
            yield from _learn_reply(learner, turn, text)
        learner.store_state()
        seconds = time.perf_counter() - started
        yield StepRecord(
            learner.turns,
            "turn",
            values={"seconds": seconds, "facts": len(facts), "detected": detected},
        )


def learn_fact(learner: OnlineLearner, fact: Fact) -> Iterator[StepRecord]:
    """Update on one fact until it is known, and keep the result unless the guard finds a fault."""
    section = learner.facts
    known = learner.memory.same(fact)
    repetitions = learner.memory.entry(known.id).count + 1 if known else 1
    lr = context_rate(section.learning.lr, "fact", section.learning.rates, repetitions=repetitions)
    pull = kl_weight(
        learner.trainer.kl_weight,
        confidence=fact.confidence,
        confident_share=section.kl.confident_share,
    )
    for attempt in range(1 + section.guard.retries):
        change, kept = learner.begin(fact), False
        try:
            batches = learner.rehearsal.batches(
                fact, learner.rng(), learner.turns
            )  # Fact → Examples → minibatches
            finite = True
            for number, update in enumerate(
                learner.trainer.learn(batches, lr=lr, kl_weight=pull), start=1
            ):
                finite = finite and update.finite
                values = {"update": number, "attempt": attempt, **vars(update)}
                yield StepRecord(learner.turns, "update", fact.id, values)
            fault, kl = (
                find_fault(learner, fact, finite)
                if section.guard.enabled or not finite
                else (None, 0.0)
            )
            if fault is None:
                learner.trainer.steer_kl(kl)
                learner.settle(fact, change)
                replaced, kept = learner.remember(fact, change, loss=update.loss), True
                yield StepRecord(
                    learner.turns, "remembered", fact.id, {"replaced": replaced, "anchor_kl": kl}
                )
                return
        finally:
            if not kept:  # refused, or the caller stopped in the middle
                learner.take_back(change)
        yield StepRecord(
            learner.turns, "rolled_back", fact.id, {"attempt": attempt, "lr": lr, "reason": fault}
        )
        lr *= section.guard.shrink
    yield StepRecord(learner.turns, "given_up", fact.id, {"reason": fault})


def consolidate(learner: OnlineLearner) -> Iterator[StepRecord]:
    """Train the facts that wait in the prompt: one by one where each has an adapter, together where
    one is shared.
    """
    facts = list(learner.waiting)
    if not facts:
        return
    if learner.per_fact:  # each waits until it is remembered
        for fact in facts:
            yield from learn_fact(learner, fact)
        return
    learner.begin(facts[0])
    lr = context_rate(learner.facts.learning.lr, "fact", learner.facts.learning.rates)
    batches = learner.rehearsal.joint_batches(facts, learner.rng())
    for number in range(learner.facts.learning.max_updates * len(facts)):
        update = learner.trainer.step(next(batches), lr=lr, kl_weight=learner.trainer.kl_weight)
        yield StepRecord(
            learner.turns, "update", "joint", {"update": number + 1, "attempt": 0, **vars(update)}
        )
    learner.gate.add_all(facts)
    learner.waiting, learner.last_change = (
        [],
        None,
    )  # what was trained together cannot be taken back one by one
    learner.store_state()


def _keep_in_context(learner: OnlineLearner, fact: Fact) -> Iterator[StepRecord]:
    replaced = learner.remember(fact, learner.begin(fact), trained=False)
    yield StepRecord(learner.turns, "remembered", fact.id, {"replaced": replaced, "anchor_kl": 0.0})
    if learner.facts.learning.method == "hybrid":
        stored = learner.memory.same(fact) or fact
        if stored.id not in learner.gate.ids and stored not in learner.waiting:
            learner.waiting.append(stored)
        if len(learner.waiting) >= learner.facts.learning.consolidate_every:
            yield from consolidate(learner)


def _learn_reply(learner: OnlineLearner, turn: Turn, reply: str) -> Iterator[StepRecord]:
    """Self-supervised: one update towards the model's own reply, at the rate of its context. Off by
    default, and only with a shared adapter: with one adapter per fact there is none for ordinary
    turns.
    """
    context = "question" if turn.text.rstrip().endswith("?") else "regular"
    lr = context_rate(learner.facts.learning.lr, context, learner.facts.learning.rates)
    batch = learner.rehearsal.own_reply(turn.text, reply)
    update = learner.trainer.step(batch, lr=lr, kl_weight=learner.trainer.kl_weight)
    yield StepRecord(
        learner.turns, "update", "own_reply", {"update": 1, "attempt": 0, **vars(update)}
    )
