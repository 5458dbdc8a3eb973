"""Facts wait in the prompt until enough of them are there, and are then trained: each into an
adapter of its own, or all together into a shared one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fledgling.facts.gate.gate import Route
from fledgling.facts.placements import BASE, Placement, Untrained
from fledgling.facts.placements.in_prompt import PROMPT, InPrompt
from fledgling.models.rows import AdaptedModel


class Waiting(Untrained):
    """``trained`` answers what it was trained on, ``prompt`` everything else. A fact takes no
    update when it is told.
    """

    def __init__(self, trained: Placement, prompt: InPrompt) -> None:
        self.trained, self.prompt = trained, prompt

    def forget(self, fact_id: str) -> None:
        self.trained.forget(fact_id)

    def source(self, route: Route) -> str:
        source = self.trained.source(route)
        return self.prompt.source(route) if source == BASE else source

    @contextmanager
    def acting(self, source: str) -> Iterator[AdaptedModel]:
        placement = self.prompt if source in (BASE, PROMPT) else self.trained
        with placement.acting(source) as model:
            yield model

    def refresh(self) -> None:
        self.trained.refresh()

    def resume(self) -> None:
        self.trained.resume()
        self.prompt.resume()
