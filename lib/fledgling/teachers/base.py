"""What a teacher is: something with a name that answers a question in time, or says why it could
not.
"""

from __future__ import annotations

from typing import Protocol

from fledgling.core.records import Answer


class Teacher(Protocol):
    """One voice of the pool. Mock, local and endpoint teachers all look like this."""

    name: str

    async def answer(self, question: str, *, timeout: float) -> Answer:
        """Answer within ``timeout`` seconds. Never raises for a fault of its own: the answer then
        carries ``error``.
        """
        ...


def failure(name: str, error: str, *, seconds: float = 0.0) -> Answer:
    """The answer of a teacher that gave none."""
    return Answer("", name, latency_ms=seconds * 1000, error=error)
