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
from fledgling.facts.placements import BASE
from fledgling.facts.placements.controls import Retrieved, framed
from fledgling.models.rows import AdaptedModel

_JOINED = "+"  # between the ids of facts in a source


class Reader(Retrieved):
    """Like ``retrieved``, with the reader's weights instead of the base's behind the prompt,
    and with all the facts there that a question was led through.
    """

    def source(self, route: Route) -> str:
        return _JOINED.join((*route.via, route.fact_id)) if route.fact_id else BASE

    @contextmanager
    def acting(self, source: str) -> Iterator[AdaptedModel]:
        if source == BASE:
            with self.adapted.adapter.disabled():
                yield self.adapted
        else:
            facts = [self.memory.entry(fact_id).fact for fact_id in ids_in(source)]
            yield framed(self.adapted, *facts)


def ids_in(source: str) -> list[str]:
    """The ids of the facts that a source joins, in the order in which a question led to them."""
    return source.split(_JOINED)
