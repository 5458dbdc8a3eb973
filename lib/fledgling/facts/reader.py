"""The instant tier: the fact that the gate picks stands in the prompt, and one small adapter,
trained once and for all facts, lets the model answer from there in the form that was asked for.

Nothing is learned when a fact is told. ``benchmarks/train_reader.py`` made the adapter, on tuning
facts and facts drawn from the gate's word bank; the prompt itself is read by the base, the adapter
acts on what follows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fledgling.facts.gate.gate import Route
from fledgling.facts.placements import BASE, ids_in, joined
from fledgling.facts.placements.controls import Retrieved, framed
from fledgling.models.rows import AdaptedModel


class Reader(Retrieved):
    """Like ``retrieved``, with the reader's weights instead of the base's behind the prompt,
    and with all the facts there that a question was led through.
    """

    def source(self, route: Route) -> str:
        return joined(route)

    @contextmanager
    def acting(self, source: str) -> Iterator[AdaptedModel]:
        if source == BASE:
            with self.adapted.adapter.disabled():
                yield self.adapted
        else:
            facts = [self.memory.entry(fact_id).fact for fact_id in ids_in(source)]
            yield framed(self.adapted, *facts)
