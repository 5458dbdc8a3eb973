"""What travels between the parts: frozen records, one direction, nothing hidden.

``Turn → Fact → Example(s) → StepRecord → metrics → figure → Verdict``
"""

from __future__ import annotations

import operator
import re
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any

from fledgling.core.errors import DataError


@dataclass(frozen=True)
class Turn:
    """One thing the user said. ``question`` and ``answer`` are set when the turn is a
    correction.
    """

    text: str
    number: int = 0
    question: str | None = None
    answer: str | None = None
    previous_question: str | None = None
    previous_reply: str | None = None


@dataclass(frozen=True)
class Fact:
    """Something the user stated and the model should know afterwards.

    ``kind`` is ``statement``, ``correction``, ``retraction`` or ``replacement``; ``statement`` is
    the sentence as the model would say it back ("Tom is your friend."). ``exclusive``: a newer
    object replaces this one. ``turn``: all that was said with it, where that is more than the
    statement holds.
    """

    id: str
    text: str
    statement: str
    kind: str = "statement"
    subject: str = ""
    relation: str = ""
    object: str = ""
    question: str | None = None
    confidence: float = 1.0
    exclusive: bool = False
    entities: tuple[str, ...] = ()
    turn: str = ""


@dataclass(frozen=True)
class Example:
    """One training row: the prompt as a user message, the answer as the assistant's.

    ``kind`` is acknowledgement, question, cloze, reverse, recall, yes_no, contrast, anchor or
    reply.
    """

    prompt: str
    answer: str
    kind: str
    fact_id: str = ""
    weight: float = 1.0


@dataclass(frozen=True)
class Feedback:
    """A user's reaction to a reply, "" where the conversation ended with it.

    ``label`` is positive, negative, correction or neutral and ``confidence`` its calibrated
    probability; ``quality`` is the reply's, in 0..1; ``correction`` is the right answer where the
    user gave one.
    """

    label: str
    confidence: float
    prompt: str
    reply: str
    reaction: str
    quality: float = 0.5
    signals: tuple[str, ...] = ()
    correction: str = ""


@dataclass(frozen=True)
class StepRecord:
    """One line of ``steps.jsonl``: what happened at ``step``, and the numbers measured there."""

    step: int
    event: str
    name: str = ""
    values: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """A flat dictionary: step, event, name, then the values."""
        return {"step": self.step, "event": self.event, "name": self.name, **self.values}


@dataclass(frozen=True)
class Interval:
    """A measurement and the interval it lies in, at 95% unless said otherwise; ``count`` values or
    cases stand behind it. With one value the limits are unknown (NaN).
    """

    mean: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        if self.limits is None:
            return f"{self.mean:.3f} (one seed)"
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"

    @property
    def limits(self) -> tuple[float, float] | None:
        """Both limits, or ``None`` where they are unknown."""
        return (self.low, self.high) if isfinite(self.low) and isfinite(self.high) else None


_TARGET = re.compile(r"^(>=|<=|>|<|==)\s*(-?\d+(?:\.\d+)?(?:e-?\d+)?)$")
_COMPARE = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
}


@dataclass(frozen=True)
class Verdict:
    """A metric held against its target. ``passed`` is computed, never claimed; ``interval`` holds
    the limits of the measurement where they are known.
    """

    metric: str
    target: str
    measured: float | None
    passed: bool
    interval: tuple[float, float] | None = None

    def to_json(self) -> dict[str, Any]:
        """The four fields of results.json, and the interval where there is one."""
        fields = asdict(self)
        if self.interval is None:
            del fields["interval"]
        return fields


def judge(metric: str, target: str, measured: float | Interval | None) -> Verdict:
    """Hold ``measured`` against ``target`` such as ``">= 0.95"``; a missing measurement fails.

    >>> judge("efficacy", ">= 0.95", 0.97).passed
    True
    >>> judge("anchor_kl", "<= 0.05", None).passed
    False
    >>> judge("efficacy", ">= 0.9", Interval(0.95, 0.76, 0.99, 20)).interval
    (0.76, 0.99)
    """
    match = _TARGET.match(target.strip())
    if match is None:
        raise DataError(
            f"target {target!r} of {metric!r} is not a comparison; write for example '>= 0.95'"
        )
    limits = None
    if isinstance(measured, Interval):
        measured, limits = measured.mean, measured.limits
    compare, bound = _COMPARE[match[1]], float(match[2])
    passed = measured is not None and compare(measured, bound)
    return Verdict(metric, target, measured, passed, limits)
