"""Facts that were folded into one (``facts.consolidation``) answer from there; those told since
have weights of their own, until they are folded in too.

The gate still says whether a question concerns anything taught, but of the folded facts it picks
none: what they were folded into answers for all of them, and is as large for fifty facts as for two
hundred.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fledgling.core.errors import ModelError
from fledgling.facts.gate.gate import Route
from fledgling.facts.learning.trainer import OnlineTrainer
from fledgling.facts.placements.per_fact import PerFact
from fledgling.facts.settings import ConsolidationSection
from fledgling.facts.store import CONSOLIDATED, FactStore, State
from fledgling.models.adapters import Adapter
from fledgling.models.rows import AdaptedModel


class Folding(PerFact):
    """``folded`` holds the ids of the facts that were folded together. A fact with weights of its
    own (told again since) is answered by those.
    """

    def __init__(self, trainer: OnlineTrainer, store: FactStore) -> None:
        super().__init__(trainer, store)
        self.folded: frozenset[str] = frozenset()

    def fold(self, fact_ids: Sequence[str], state: State) -> None:
        """Let ``state`` answer for these facts from now on; what each had of its own goes."""
        halves = {name: tensor.to(self.store.dtype) for name, tensor in state.items()}
        self.store.put_state(CONSOLIDATED, halves, {"facts": list(fact_ids)})
        for fact_id in fact_ids:
            self.store.remove_adapter(fact_id)
        self.resume()

    def forget(self, fact_id: str) -> None:
        """The gate opens for a forgotten fact no more; its trace in what it was folded into goes
        with the next consolidation, which starts afresh.
        """
        super().forget(fact_id)
        self.folded -= {fact_id}

    def where(self, fact_id: str) -> str:
        """What answers for one fact."""
        folded = fact_id in self.folded and not self.store.has_adapter(fact_id)
        return CONSOLIDATED if folded else fact_id

    def source(self, route: Route) -> str:
        return self.where(super().source(route))

    def resume(self) -> None:
        super().resume()
        saved = self.store.state(CONSOLIDATED)
        self.folded = frozenset(saved[1]["facts"] if saved else ())


class Consolidated(Folding):
    """LoRA adapters in the store, and one wider adapter for those that were merged."""

    def __init__(
        self, trainer: OnlineTrainer, store: FactStore, section: ConsolidationSection
    ) -> None:
        super().__init__(trainer, store)
        self.section = section
        self._wide: AdaptedModel | None = None

    def model(self) -> AdaptedModel:
        """The model with the one adapter, which is put on it the first time it is asked for."""
        if self._wide is None:
            own = self.trainer.adapted
            adapter = Adapter(
                own.loaded, self.section.adapter, name=CONSOLIDATED, beside=own.adapter
            )
            self._wide = AdaptedModel(adapter, max_length=own.max_length)
            own.adapter.act()
        return self._wide

    @contextmanager
    def acting(self, source: str) -> Iterator[AdaptedModel]:
        if source != CONSOLIDATED:
            with super().acting(source) as model:
                yield model
            return
        wide = self.model()
        with wide.adapter.acting():
            yield wide

    def resume(self) -> None:
        super().resume()
        saved = self.store.state(CONSOLIDATED)
        if saved is None:
            if self._wide is not None:
                self._wide.adapter.reset()  # nothing of what was taken back or erased stays
            return
        try:
            self.model().adapter.restore({name: each.float() for name, each in saved[0].items()})
        except ModelError as error:
            raise ModelError(
                "the consolidated adapter in this store has another shape than"
                " facts.consolidation.adapter; open it with the settings it was made with"
            ) from error
