"""Each fact has a prefix of its own: keys and values that stand before the prompt where the gate
opens for it, and no text.

It begins as what the base computes when it reads the statement, and is then practised like any
weights: what the reader (``facts.reader``) would find there is the start, not the end. Where no
reader was trained for the model, the base itself reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from fledgling.core.records import Fact
from fledgling.facts.gate.gate import Route
from fledgling.facts.placements import BASE, ids_in, joined
from fledgling.facts.placements.consolidated import Folding
from fledgling.facts.placements.in_prompt import system_prompt
from fledgling.facts.store import CONSOLIDATED, State
from fledgling.models.prefixes import PrefixAdapter
from fledgling.models.rows import AdaptedModel


class Prefixes(Folding):
    """Prefixes in the store, put before the model when they are asked for: a fact's own one, the
    one that many facts were condensed into, or those of all facts to which a question was led.
    Where the question was put anew on the way, the last of them answers it alone.
    """

    def begin(self, fact: Fact) -> None:
        super().begin(fact)
        adapted = self.trainer.adapted
        adapter: PrefixAdapter = adapted.adapter
        adapter.begin(adapted.read(adapted.system_ids(system_prompt([fact]))))

    def source(self, route: Route) -> str:
        if not route.fact_id:
            return BASE
        ids = [route.fact_id] if route.asked else ids_in(joined(route))
        return "+".join(dict.fromkeys(map(self.where, ids)))

    @contextmanager
    def acting(self, source: str) -> Iterator[AdaptedModel]:
        adapted = self.trainer.adapted
        states = []
        if source not in (BASE, self._active):
            states = [state for state in map(self._state, ids_in(source)) if state]
        if source == BASE or (not states and source != self._active):
            with adapted.adapter.disabled():
                yield adapted
            return
        if states:
            adapted.adapter.restore(_side_by_side(states))
            self._active = source
        yield adapted

    def _state(self, name: str) -> State | None:
        if name != CONSOLIDATED:
            return self.store.adapter(name)
        saved = self.store.state(CONSOLIDATED)
        return saved and saved[0]


def _side_by_side(states: Sequence[State]) -> State:
    """Several prefixes before one prompt, each with the positions that it was read at (parallel
    context windows: Ratner et al., 2023, arXiv:2212.10947).
    """
    return {name: torch.cat([state[name] for state in states], dim=2) for name in states[0]}
