"""Facts stand in the system prompt and no weight changes: what a user would do instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from fledgling.core.records import Fact
from fledgling.facts.gate.gate import Route
from fledgling.facts.placements import BASE, Untrained
from fledgling.language.perspective import to_assistant
from fledgling.models.adapters import Adapter
from fledgling.models.rows import AdaptedModel

PROMPT = "prompt"
_TOLD = "You are a helpful assistant. This is what the user has told you:"


def system_prompt(facts: Sequence[Fact]) -> str:
    """The facts as lines of a system prompt; a turn that told several stands there once."""
    return "\n".join([_TOLD, *dict.fromkeys(f"- {as_told(fact)}" for fact in facts)])


def as_told(fact: Fact) -> str:
    """All that is known of a fact, said back: its statement; of a correction the question and the
    answer; the whole turn where the statement leaves much of it out.
    """
    if fact.question:
        return f"{fact.question} {fact.object}"
    return to_assistant(fact.turn) if fact.turn else fact.statement


class InPrompt(Untrained):
    """``told`` gives the facts that stand in the prompt now; without any the base answers."""

    def __init__(self, adapted: AdaptedModel, told: Callable[[], Sequence[Fact]]) -> None:
        self.adapted, self.told = adapted, told
        self._framed: AdaptedModel | None = None  # the model behind the newest system prompt

    def source(self, route: Route) -> str:
        return PROMPT if self.told() else BASE

    @contextmanager
    def acting(self, source: str) -> Iterator[AdaptedModel]:
        with self.adapted.adapter.disabled():
            yield self.adapted if source == BASE else self.framed(self.told())

    def framed(self, facts: Sequence[Fact]) -> AdaptedModel:
        """The model with the facts in its system prompt, which is read once for all questions."""
        system = system_prompt(facts)
        if self._framed is None or self._framed.system != system:
            adapter: Adapter = self.adapted.adapter
            self._framed = AdaptedModel(
                adapter, system=system, max_length=adapter.loaded.max_length
            )
        return self._framed

    def resume(self) -> None:
        self._framed = None
