"""What the live plots show, kept as records: the newest points of every line."""

from __future__ import annotations

import math
import random
from collections import deque

import torch

from fledgling.core.records import Example, Fact, StepRecord
from fledgling.facts.learner import OnlineLearner

_DRAWN = ("update", "remembered", "measured")


class Measures:
    """The last ``points`` records of each kind that is drawn."""

    def __init__(self, points: int) -> None:
        self._records: dict[str, deque[StepRecord]] = {
            event: deque(maxlen=points) for event in _DRAWN
        }

    def add(self, record: StepRecord) -> None:
        if record.event in self._records:
            self._records[record.event].append(record)

    def records(self) -> list[StepRecord]:
        """All that is kept, by kind, each in order."""
        return [record for kept in self._records.values() for record in list(kept)]

    def forget(self, fact_id: str) -> None:
        """Drop what was measured of one fact."""
        for record in self._records["measured"]:
            record.values["retention"].pop(fact_id, None)
        for event in ("update", "remembered"):
            kept = [record for record in self._records[event] if record.name != fact_id]
            self._records[event].clear()
            self._records[event].extend(kept)

    def clear(self) -> None:
        for kept in self._records.values():
            kept.clear()


def own_question(learner: OnlineLearner, fact: Fact) -> Example:
    """A question about a fact with its answer, as it was learned."""
    rows = learner.lessons.examples(fact, random.Random(0))
    return next((row for row in rows if row.kind == "question"), rows[0])


@torch.no_grad()
def retention(learner: OnlineLearner, fact: Fact) -> float:
    """How well a fact is known, 0 to 1: the mean probability of a token (geometric) of its answer
    to a question about it, by whatever answers that question now.
    """
    example = own_question(learner, fact)
    (route,) = learner.route([example.prompt])
    with learner.placement.acting(learner.placement.source(route)) as model:
        rows = model.encode([example])
        loss = torch.nn.functional.cross_entropy(model.logits(rows), rows.targets)
    return math.exp(-loss.item())
