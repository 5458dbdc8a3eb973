"""Each fact has a small adapter of its own, which acts where the gate opens for that fact: facts
cannot disturb each other (SoLA, arXiv:2603.11239; MEGa, arXiv:2504.21239).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fledgling.core.records import Fact
from fledgling.facts.gate.gate import Route
from fledgling.facts.learning.trainer import OnlineTrainer
from fledgling.facts.placements import BASE
from fledgling.facts.store import FactStore
from fledgling.models.rows import AdaptedModel


class PerFact:
    """Adapters in the store, put on the model one at a time."""

    trains = True
    interferes = False
    picks = False

    def __init__(self, trainer: OnlineTrainer, store: FactStore) -> None:
        self.trainer, self.store = trainer, store
        self._active: str | None = None  # the fact whose adapter is on the model

    def begin(self, fact: Fact) -> None:
        self._active = None
        self.trainer.start_fresh()

    def take_back(self) -> None:
        self.trainer.start_fresh()

    def keep(self, fact: Fact) -> None:
        self.store.put_adapter(fact.id, self.trainer.adapted.adapter.state())
        self._active = None  # what acts from now on is the stored adapter, in the store's precision

    def save(self) -> None:
        """Only facts change anything here."""

    def forget(self, fact_id: str) -> None:
        self.store.remove_adapter(fact_id)
        self._active = None

    def source(self, route: Route) -> str:
        return route.fact_id or BASE

    @contextmanager
    def acting(self, source: str) -> Iterator[AdaptedModel]:
        adapted = self.trainer.adapted
        state = None
        if source not in (BASE, self._active):
            state = self.store.adapter(source)
        if source == BASE or (state is None and source != self._active):
            with adapted.adapter.disabled():
                yield adapted
            return
        if state is not None:
            adapted.adapter.restore(state)
            self._active = source
        yield adapted

    def refresh(self) -> None:
        self._active = None

    def resume(self) -> None:
        self._active = None
        self.trainer.start_fresh()
