"""What a teacher is, what it says, and what a pool makes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Answer:
    """One teacher's answer, or its failure. ``confidence`` in 0..1, ``latency_ms`` in
    milliseconds.
    """

    text: str
    model_name: str
    confidence: float = 0.0
    tokens: int = 0
    latency_ms: float = 0.0
    error: str | None = None

    @property
    def usable(self) -> bool:
        """Whether it says anything."""
        return self.error is None and bool(self.text.strip())


@dataclass(frozen=True)
class Decision:
    """What a pool answers. ``kind`` is best, caveat, combined or abstain; ``flagged`` asks a person
    to look.
    """

    text: str
    kind: str
    confidence: float
    agreement: float
    quality: float
    flagged: bool
    reason: str
    model_name: str = ""
    answers: tuple[Answer, ...] = ()


Decide = Callable[[str, Sequence[Answer]], Decision]


class Teacher(Protocol):
    """One voice of the pool. Mock, local and endpoint teachers all look like this; one that holds
    connections has an ``async close()`` as well.
    """

    name: str

    async def answer(self, question: str, *, timeout: float) -> Answer:
        """Answer within ``timeout`` seconds. Never raises for a fault of its own: the answer then
        carries ``error``.
        """
        ...


def failure(name: str, error: str, *, seconds: float = 0.0) -> Answer:
    """The answer of a teacher that gave none."""
    return Answer("", name, latency_ms=seconds * 1000, error=error)
