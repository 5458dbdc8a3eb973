"""What notebook 07 measures, as generators of records."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median

from fledgling.core.records import StepRecord, Turn
from fledgling.facts.flow import learn
from fledgling.facts.learner import OnlineLearner
from fledgling.feedback.habits import read_habits, recognise
from fledgling.memory.consolidation import consolidate
from fledgling.memory.corrections import CorrectionMemory
from fledgling.memory.drift import NAMES, Stream, route
from fledgling.memory.settings import ConsolidationSection, RouterSection
from fledgling.models.generation import reply
from fledgling.models.loading import LoadedModel


def correct_and_ask(
    loaded: LoadedModel, memory: CorrectionMemory, cases: Sequence[tuple[str, str]]
) -> Iterator[StepRecord]:
    """Ask each question, correct it, ask again: replies before and after, and the milliseconds that
    storing took, and that looking up added to the next turn.
    """
    for number, (question, answer) in enumerate(cases, start=1):
        before = reply(loaded, question)
        begun = time.perf_counter()
        memory.store(question, answer, before)
        stored = time.perf_counter()
        said = memory.injected(question)
        found = time.perf_counter()
        after = reply(loaded, question, system=said)
        values = {
            "answer": answer,
            "before": before,
            "after": after,
            "stored_ms": 1000 * (stored - begun),
            "added_ms": 1000 * (found - stored),
        }
        yield StepRecord(number, "corrected", question, values)


def time_lookups(memory: CorrectionMemory, questions: Sequence[str]) -> float:
    """Median milliseconds that a look-up adds to a turn."""
    taken = []
    for question in questions:
        begun = time.perf_counter()
        memory.injected(question)
        taken.append(1000 * (time.perf_counter() - begun))
    return median(taken)


def time_recognition() -> float:
    """Median seconds until the corrections of a habit are recognised as it: from then on its wish
    and its rule can act on the running reply.
    """
    taken = []
    for habit in read_habits().values():
        begun = time.perf_counter()
        recognise(habit.shown)
        taken.append(time.perf_counter() - begun)
    return median(taken)


def forgetting_study(
    build: Callable[[], OnlineLearner],
    section: ConsolidationSection,
    turns: Sequence[Turn],
    arms: Sequence[str],
) -> Iterator[StepRecord]:
    """Facts learned one after another in one shared adapter, with idle updates after each:
    spent on the fact just learned (``none``), or on consolidation, as many either way.

    ``arms``: of "none", "deep", "creative" and "both". Yields a ``loss`` after every fact: what
    it lost least so far and loses now, by fact, in nats.
    """
    for arm in arms:
        learner = build()
        try:
            yield from _arm(learner, section, turns, arm)
        finally:
            learner.close()


def _arm(
    learner: OnlineLearner, section: ConsolidationSection, turns: Sequence[Turn], arm: str
) -> Iterator[StepRecord]:
    best: dict[str, float] = {}
    spent = 0
    for number, turn in enumerate(turns, start=1):
        begun = time.perf_counter()
        for record in learn(learner, [turn], reply=False, taught=True):
            spent += record.event == "update"
        seconds = time.perf_counter() - begun
        spent += _idle(learner, section, arm)
        now = {fact.statement: learner.lessons.loss(fact) for fact in learner.memory.all()}
        for name, loss in now.items():
            best[name] = min(best.get(name, loss), loss)
        lost = [now[name] - best[name] for name in list(now)[:-1]]
        forgotten = sum(lost) / len(lost) if lost else 0.0
        values = {"losses": now, "forgotten": forgotten, "updates": spent, "seconds": seconds}
        yield StepRecord(number, "loss", arm, values)


def _idle(learner: OnlineLearner, section: ConsolidationSection, arm: str) -> int:
    """The idle updates of one arm; returns how many were made."""
    total = section.deep_updates + section.creative_updates
    if arm != "none":
        deep = {"both": section.deep_updates, "deep": total}.get(arm, 0)
        shares = {"deep_updates": deep, "creative_updates": total - deep}
        changed = section.model_copy(update=shares)
        return sum(one.event == "update" for one in consolidate(learner, changed))
    with learner.turn():
        fact = learner.memory.all()[-1]
        learner.start_learning(fact)
        batches = learner.lessons.batches(fact, learner.rng(), learner.turns)
        for _, batch in zip(range(total), batches, strict=False):
            learner.trainer.step(batch, lr=section.lr, kl_weight=0.0)
        learner.trained.save()
    return total


def compare_routers(
    streams: Sequence[Stream], section: RouterSection, names: Sequence[str] = NAMES
) -> Iterator[StepRecord]:
    """Each router on each stream, beside the best single model and the oracle: ``reward`` a query,
    ``recovery`` in queries (None: never), and what it may expect over what the best model may, in
    blocks of 25 queries.
    """
    for seed, stream in enumerate(streams):
        for name in (*names, "always_best", "oracle"):
            result = route(stream, name, section, seed)
            blocks = range(0, len(result.expected) - 24, 25)
            course = (
                [
                    float(
                        result.expected[place : place + 25].sum()
                        / result.best[place : place + 25].sum()
                    )
                    for place in blocks
                ]
                if stream.change < len(result.expected)
                else []
            )
            values = {"reward": result.reward, "recovery": result.recovery, "course": course}
            yield StepRecord(seed, "routed", name, values)
