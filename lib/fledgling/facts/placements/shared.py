"""One adapter holds all facts. It acts on every question, or, behind a gate, where anything taught
is asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fledgling.core.records import Fact
from fledgling.facts.gate.gate import Route
from fledgling.facts.learning.remedies import OnlineRemedies
from fledgling.facts.learning.trainer import OnlineTrainer
from fledgling.facts.placements import BASE
from fledgling.facts.store import SHARED, FactStore, State
from fledgling.models.rows import AdaptedModel, Rows


class Shared:
    """The adapter and its optimizer, stored after each fact so that a restart goes on exactly.

    ``rows_of`` gives a fact's own rows, which some remedies look at once it is kept.
    """

    trains = True
    interferes = True
    picks = False

    def __init__(
        self,
        trainer: OnlineTrainer,
        store: FactStore,
        remedies: OnlineRemedies,
        rows_of: Callable[[Fact], Rows],
    ) -> None:
        self.trainer, self.store, self.remedies, self.rows_of = trainer, store, remedies, rows_of
        self._before: tuple[State, dict[str, object]] = ({}, {})

    def begin(self, fact: Fact) -> None:
        self._before = self.trainer.state()

    def take_back(self) -> None:
        self.trainer.restore(*self._before)

    def keep(self, fact: Fact) -> None:
        self.remedies.settle(self._before[0], lambda: self.rows_of(fact))
        self.save()

    def save(self) -> None:
        self.store.put_state(SHARED, *self.trainer.state())

    def forget(self, fact_id: str) -> None:
        """Nothing can be taken out of what all facts share."""

    def source(self, route: Route) -> str:
        return BASE if route.fact_id is None else SHARED

    @contextmanager
    def acting(self, source: str) -> Iterator[AdaptedModel]:
        adapted = self.trainer.adapted
        if source == SHARED:
            yield adapted
            return
        with adapted.adapter.disabled():
            yield adapted

    def refresh(self) -> None:
        """What is on the model is what acts."""

    def resume(self) -> None:
        saved = self.store.state(SHARED)
        if saved is not None:
            self.trainer.restore(*saved)
        else:
            self.trainer.start_fresh()
