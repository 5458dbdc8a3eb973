"""The whole online flow on one screen: detect, reply, render, learn, guard, remember, yield."""

from __future__ import annotations

import math
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

    A turn is stored whole at its end: stopping before that leaves everything as it was.
    """
    for turn in turns:
        started = time.perf_counter()
        with learner.turn():
            facts = detect_all(turn, learner.language, learner.judge)  # Turn → Facts
            detected = len(facts)
            text = learner.answer([turn.text])[0].text if reply else ""
            yield StepRecord(learner.turns, "reply", values={"turn": turn.text, "reply": text})
            if taught and not facts:
                facts = [take_at_word(turn, learner.language, learner.judge)]
            for fact in facts:
                told = {"statement": fact.statement, "relation": fact.relation}
                yield StepRecord(learner.turns, "fact", fact.id, told)
                if learner.placement.trains:
                    yield from learn_fact(learner, fact)
                else:
                    yield from _keep_in_prompt(learner, fact)
            if learner.placement.trains:
                yield from train_waiting(learner)  # those that lost the turn they were told in
            if not facts and text and learner.facts.learning.own_replies:
                yield from _learn_reply(learner, turn, text)
        seconds = time.perf_counter() - started
        values = {"seconds": seconds, "facts": len(facts), "detected": detected}
        yield StepRecord(learner.turns, "turn", values=values)


def learn_fact(learner: OnlineLearner, fact: Fact) -> Iterator[StepRecord]:
    """Update on one fact until it is known, and keep the result unless the guard finds a fault."""
    section, trainer = learner.facts, learner.trainer
    fact = learner.as_known(fact)
    repetitions = learner.memory.entry(fact.id).count + 1 if fact.id in learner.memory else 1
    lr = context_rate(section.learning.lr, "fact", section.learning.rates, repetitions=repetitions)
    share = section.kl.confident_share
    pull = kl_weight(trainer.kl_weight, confidence=fact.confidence, confident_share=share)
    for attempt in range(1 + section.guard.retries):
        learner.start_learning(fact)
        batches = learner.lessons.batches(fact, learner.rng(), learner.turns)  # → Examples → rows
        finite, loss = True, math.inf
        for number, update in enumerate(trainer.learn(batches, lr=lr, kl_weight=pull), start=1):
            finite, loss = finite and update.finite, update.loss
            values = {"update": number, "attempt": attempt, **vars(update)}
            yield StepRecord(learner.turns, "update", fact.id, values)
        fault, kl = find_fault(learner, fact, finite)
        if fault is None:
            trainer.steer_kl(kl)
            kept, replaced = learner.remember(fact)
            learner.keep(kept, loss)
            values = {"replaced": replaced, "anchor_kl": kl}
            yield StepRecord(learner.turns, "remembered", fact.id, values)
            return
        learner.trained.take_back()
        values = {"attempt": attempt, "lr": lr, "reason": fault}
        yield StepRecord(learner.turns, "rolled_back", fact.id, values)
        lr *= section.guard.shrink
    yield StepRecord(learner.turns, "given_up", fact.id, {"reason": fault})


def train_waiting(learner: OnlineLearner) -> Iterator[StepRecord]:
    """Train the facts that wait, in the prompt or because the weights that held them were erased:
    one by one where each has an adapter, together where one is shared. One turn of its own, unless
    it is part of one.
    """
    trains = learner.placement.trains or learner.facts.learning.wait_for
    facts = learner.waiting() if trains else []
    if not facts:
        return
    if not learner.trained.interferes:
        for fact in facts:
            yield from learn_fact(learner, fact)
        return
    learner.start_learning(facts[0])
    learning = learner.facts.learning
    batches = learner.lessons.joint_batches(facts, learner.rng())
    for number in range(1, learning.max_updates * len(facts) + 1):
        pull = learner.trainer.kl_weight
        update = learner.trainer.step(next(batches), lr=learning.lr, kl_weight=pull)
        yield StepRecord(
            learner.turns, "update", "joint", {"update": number, "attempt": 0, **vars(update)}
        )
    for fact in facts:
        learner.keep(fact, update.loss)


def _keep_in_prompt(learner: OnlineLearner, fact: Fact) -> Iterator[StepRecord]:
    _, replaced = learner.remember(fact)
    values = {"replaced": replaced, "anchor_kl": 0.0}
    yield StepRecord(learner.turns, "remembered", fact.id, values)
    wait_for = learner.facts.learning.wait_for
    if wait_for and len(learner.waiting()) >= wait_for:
        yield from train_waiting(learner)


def _learn_reply(learner: OnlineLearner, turn: Turn, reply: str) -> Iterator[StepRecord]:
    """Self-supervised: one update towards the model's own reply, at the rate of its context. Off by
    default, and only where one adapter is shared: else there is none for ordinary turns.
    """
    if not learner.trained.interferes:
        return
    context = "question" if turn.text.rstrip().endswith("?") else "regular"
    learning = learner.facts.learning
    lr = context_rate(learning.lr, context, learning.rates)
    batch = learner.lessons.own_reply(turn.text, reply)
    update = learner.trainer.step(batch, lr=lr, kl_weight=learner.trainer.kl_weight)
    learner.trained.save()
    values = {"update": 1, "attempt": 0, **vars(update)}
    yield StepRecord(learner.turns, "update", "own_reply", values)
