"""Where a learned fact is kept, and what answers from there: ``prefixes`` (keys and values a
fact), ``per_fact`` (an adapter a fact),
``shared`` (one adapter for all), ``in_prompt`` (the system prompt, no weights), and the
look-ups that they are compared with (``controls``).
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from fledgling.core.records import Fact
from fledgling.facts.gate.gate import Route
from fledgling.models.rows import AdaptedModel

BASE = "base"  # the source of an answer that the frozen base gives
_JOINED = "+"  # between the ids of facts in a source


def joined(route: Route) -> str:
    """The source that joins all facts to which a question was led."""
    return _JOINED.join((*route.via, route.fact_id)) if route.fact_id else BASE


def ids_in(source: str) -> list[str]:
    """The ids of the facts that a source joins, in the order in which a question led to them."""
    return source.split(_JOINED)


class Placement(Protocol):
    """The small interface that the flow goes through; a new way to keep facts is one file.

    A *source* is what answers: ``BASE``, a fact's id, or a name of the placement's own.
    """

    trains: bool  # whether a fact takes updates when it is told
    interferes: bool  # whether learning one fact can disturb another
    picks: bool  # whether the gate picks among facts that no update was spent on

    def begin(self, fact: Fact) -> None:
        """Get ready to learn ``fact``."""

    def take_back(self) -> None:
        """Undo the updates since ``begin``."""

    def keep(self, fact: Fact) -> None:
        """Let what was learned since ``begin`` stay, and store it."""

    def save(self) -> None:
        """Store what an update outside of a fact has changed."""

    def forget(self, fact_id: str) -> None:
        """Drop what is kept for one fact."""

    def source(self, route: Route) -> str:
        """What answers a question that the gate routed so."""

    def acting(self, source: str) -> AbstractContextManager[AdaptedModel]:
        """The model that answers, for as long as the block lasts."""

    def refresh(self) -> None:
        """Somebody else wrote to the adapter: what acts next is read anew."""

    def resume(self) -> None:
        """Take up what the store holds: when it is opened, and when a turn was taken back."""


class Untrained:
    """What the placements share that train nothing: a fact is in the memory, or nowhere."""

    trains = False
    interferes = False
    picks = False

    def begin(self, fact: Fact) -> None:
        """Nothing to get ready."""

    def take_back(self) -> None:
        """Nothing was changed."""

    def keep(self, fact: Fact) -> None:
        """The memory holds the fact."""

    def save(self) -> None:
        """Only facts change anything here."""

    def forget(self, fact_id: str) -> None:
        """The memory forgets."""

    def refresh(self) -> None:
        """No adapter acts."""

    def resume(self) -> None:
        """Nothing is kept."""
