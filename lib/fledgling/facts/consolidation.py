"""What was learned of many facts becomes one thing, of a size that does not depend on their number:
their prefixes one prefix (``condensing``), their LoRA adapters one adapter (``merging``).

It takes effect whole or not at all, and ``take_back`` undoes it. A fact that was corrected or
forgotten has no part in it. What is told afterwards has weights of its own until the next time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import torch

from fledgling.core.errors import DataError
from fledgling.core.records import Fact, StepRecord
from fledgling.facts.condensing import Condensation
from fledgling.facts.flow import learn_fact
from fledgling.facts.learner import OnlineLearner
from fledgling.facts.merging import Merge
from fledgling.facts.placements.consolidated import Consolidated, Folding
from fledgling.facts.store import CONSOLIDATED

Stop = Callable[[], bool]


def consolidate(learner: OnlineLearner, stop: Stop = lambda: False) -> Iterator[StepRecord]:
    """Fold all facts that were trained into one. Yields ``merging`` after every step, with the work
    done and to be done, and at the end ``consolidated``, ``interrupted`` or ``refused``, with its
    reason.

    ``stop`` is asked before every step. Facts told while it runs keep weights of their own; where
    one that is being folded is forgotten or told anew meanwhile, nothing takes effect. Raises
    ``DataError`` where facts have no weights of their own.
    """
    placement, started = learner.trained, time.perf_counter()
    if not isinstance(placement, Folding):
        raise DataError(
            "only facts with weights of their own can be consolidated; use a recipe with"
            " facts.learning.placement prefix or per_fact, such as default"
        )
    facts = [entry.fact for entry in learner.memory.entries() if entry.trained]
    if not facts:
        yield _ended(learner, "refused", reason="no fact is remembered that was trained")
        return
    before = _told(learner, facts)
    if isinstance(placement, Consolidated):
        merge: Merge | Condensation = Merge(learner, placement, facts)
    else:
        merge = Condensation(learner, facts)
    for done, work in merge.run():
        if stop():
            placement.resume()
            yield _ended(learner, "interrupted", done=done, of=work)
            return
        yield StepRecord(learner.turns, "merging", "consolidation", {"done": done, "of": work})
    placement.resume()
    if not all(bool(torch.isfinite(each).all()) for each in merge.state.values()):
        yield _ended(learner, "refused", reason="the merged weights are not finite")
        return
    if _told(learner, facts) != before:
        reason = "a fact that was being merged was told anew or forgotten; consolidate again"
        yield _ended(learner, "refused", reason=reason)
        return
    with learner.turn():
        placement.fold([fact.id for fact in facts], merge.state)
    values = {"facts": len(facts), "rows": merge.count, "bytes": learner.store.folded_bytes()}
    seconds = time.perf_counter() - started
    yield _ended(learner, "consolidated", **values, seconds=seconds)


def _told(learner: OnlineLearner, facts: Sequence[Fact]) -> dict[str, tuple[Fact, int]]:
    """What is remembered of these facts, and how often each was told."""
    ids = {fact.id for fact in facts}
    entries = learner.memory.entries()
    return {each.fact.id: (each.fact, each.count) for each in entries if each.fact.id in ids}


def retell(learner: OnlineLearner, facts: Sequence[Fact]) -> Iterator[StepRecord]:
    """Let a learner know exactly these facts, which another one was told: the missing ones are
    learned, one turn each, and the others forgotten, with what they had left in merged weights.
    Yields what ``flow.learn_fact`` does. Broken off, it goes on from there the next time.
    """
    wanted = {fact.id: fact for fact in facts}
    for fact in learner.memory.all():
        if wanted.get(fact.id) != fact:
            learner.erase(fact.id)
    waiting = {fact.id for fact in learner.waiting()}
    for fact in facts:
        if fact.id in waiting or fact.id not in learner.memory:
            with learner.turn():
                yield from learn_fact(learner, fact)


def take_back(learner: OnlineLearner) -> None:
    """Undo a consolidation: every fact answers from its own adapter again. Raises ``DataError``
    where something was told since, or nothing was consolidated.
    """
    if not learner.store.folded() or not learner.store.changed(CONSOLIDATED):
        raise DataError(
            "the last thing that happened was no consolidation, so there is none to take back;"
            " /undo in the chat takes back what was told"
        )
    learner.undo()


def _ended(learner: OnlineLearner, event: str, **values: object) -> StepRecord:
    return StepRecord(learner.turns, event, "consolidation", values)
