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
from fledgling.facts.placements.in_prompt import system_prompt
from fledgling.facts.placements.per_fact import PerFact
from fledgling.facts.store import State
from fledgling.models.prefixes import PrefixAdapter
from fledgling.models.rows import AdaptedModel


class Prefixes(PerFact):
    """Prefixes in the store, put before the model one at a time."""

    def begin(self, fact: Fact) -> None:
        super().begin(fact)
        adapted = self.trainer.adapted
        adapter: PrefixAdapter = adapted.adapter
        adapter.begin(adapted.read_system(system_prompt([fact])))

    def source(self, route: Route) -> str:
        return joined(route)

    @contextmanager
    def acting(self, source: str) -> Iterator[AdaptedModel]:
        ids = ids_in(source)
        if source == BASE or len(ids) == 1:
            with super().acting(source) as model:
                yield model
            return
        adapted = self.trainer.adapted
        states = [state for state in map(self.store.adapter, ids) if state]
        adapted.adapter.restore(_side_by_side(states))
        self._active = None
        yield adapted


def _side_by_side(states: Sequence[State]) -> State:
    """Several prefixes before one prompt, each with the positions that it was read at (parallel
    context windows: Ratner et al., 2023, arXiv:2212.10947).
    """
    names = states[0] if states else ()
    return {name: torch.cat([state[name] for state in states], dim=2) for name in names}
