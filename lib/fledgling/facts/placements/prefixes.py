"""Each fact has a prefix of its own: keys and values that stand before the prompt where the gate
opens for it, and no text.

It begins as what the base computes when it reads the statement, and is then practised like any
weights: what the reader (``facts.reader``) would find there is the start, not the end. Where no
reader was trained for the model, the base itself reads.
"""

from __future__ import annotations

from fledgling.core.records import Fact
from fledgling.facts.placements.in_prompt import system_prompt
from fledgling.facts.placements.per_fact import PerFact
from fledgling.models.prefixes import PrefixAdapter


class Prefixes(PerFact):
    """Prefixes in the store, put before the model one at a time."""

    def begin(self, fact: Fact) -> None:
        super().begin(fact)
        adapted = self.trainer.adapted
        adapter: PrefixAdapter = adapted.adapter
        adapter.begin(adapted.read_system(system_prompt([fact])))
