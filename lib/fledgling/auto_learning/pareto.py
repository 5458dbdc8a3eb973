"""Quality, speed and cost at once: models that no other model beats in all three."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """A model as somebody who chooses sees it: mean score (0 to 1), seconds and US dollars a
    task.
    """

    model: str
    score: float
    seconds: float
    usd: float


def dominates(one: Choice, other: Choice) -> bool:
    """At least as good in everything, and better in something."""
    ours = (one.score, -one.seconds, -one.usd)
    theirs = (other.score, -other.seconds, -other.usd)
    return all(a >= b for a, b in zip(ours, theirs, strict=True)) and ours != theirs


def frontier(choices: Sequence[Choice]) -> list[Choice]:
    """The choices that nothing dominates, in the order given.

    >>> cheap, good = Choice("cheap", 0.8, 1.0, 0.1), Choice("good", 0.9, 2.0, 0.2)
    >>> poor = Choice("poor", 0.7, 2.0, 0.1)
    >>> [choice.model for choice in frontier([cheap, poor, good])]
    ['cheap', 'good']
    """
    return [choice for choice in choices if not any(dominates(other, choice) for other in choices)]
