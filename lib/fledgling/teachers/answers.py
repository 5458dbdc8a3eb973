"""What a teacher is, what it is asked, what it says, and what a pool makes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Query:
    """What a teacher is asked: ``text`` is what the user says now, ``history`` what went before."""

    text: str
    history: tuple[Message, ...] = ()

    def messages(self, system: str = "") -> list[dict[str, str]]:
        """The conversation as chat messages, a teacher's own ``system`` prompt first."""
        first = [Message("system", system)] if system else []
        turns = (*first, *self.history, Message("user", self.text))
        return [{"role": turn.role, "content": turn.content} for turn in turns]


@dataclass(frozen=True)
class Answer:
    """One teacher's answer, or its failure. ``confidence`` in 0..1, ``latency_ms`` in milliseconds,
    ``cost`` in the currency of the configured prices. ``tokens`` are those of the answer.
    """

    text: str
    model_name: str
    confidence: float = 0.0
    tokens: int = 0
    latency_ms: float = 0.0
    error: str | None = None
    prompt_tokens: int = 0
    cost: float = 0.0

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

    async def answer(self, query: Query, *, timeout: float) -> Answer:
        """Answer within ``timeout`` seconds. Never raises for a fault of its own: the answer then
        carries ``error``.
        """
        ...


def failure(name: str, error: str, *, seconds: float = 0.0) -> Answer:
    """The answer of a teacher that gave none."""
    return Answer("", name, latency_ms=seconds * 1000, error=error)


def readable(text: str, longest: int) -> str:
    """At most ``longest`` characters of a text that can be written to any file: halves of surrogate
    pairs, which no encoding has a place for, become "?".
    """
    return text[:longest].encode("utf-8", "replace").decode()
