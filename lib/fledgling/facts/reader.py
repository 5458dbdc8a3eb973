"""The instant tier: the fact that the gate picks stands in the prompt, and one small adapter,
trained once and for all facts, lets the model answer from there in the form that was asked for.

Nothing is learned when a fact is told. ``benchmarks/train_reader.py`` made the adapter, on
tuning facts alone; the prompt itself is read by the base, the adapter acts on what follows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fledgling.facts.placements import BASE
from fledgling.facts.placements.controls import Retrieved, framed
from fledgling.models.rows import AdaptedModel


class Reader(Retrieved):
    """Like ``retrieved``, with the reader's weights instead of the base's behind the prompt."""

    @contextmanager
    def acting(self, source: str) -> Iterator[AdaptedModel]:
        if source == BASE:
            with self.adapted.adapter.disabled():
                yield self.adapted
        else:
            yield framed(self.adapted, self.memory.entry(source).fact)
