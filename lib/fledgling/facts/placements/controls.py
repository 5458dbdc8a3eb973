"""What a look-up would answer, behind the same gate: the stored sentence printed (``echo``),
the one right fact in the untouched base's prompt (``retrieved``), or in the prompt of its own
adapter (``retrieved_adapter``). A recipe that is no better than these has taught the model
nothing that a search would not have found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from torch import Tensor

from fledgling.core.records import Fact
from fledgling.facts.gate.gate import Route
from fledgling.facts.memory import FactMemory
from fledgling.facts.placements import BASE, Untrained
from fledgling.facts.placements.in_prompt import as_told, system_prompt
from fledgling.facts.placements.per_fact import PerFact
from fledgling.models.rows import AdaptedModel, Rows


class Retrieved(Untrained):
    """The fact that the gate picks stands in the base's prompt; nothing is trained."""

    picks = True

    def __init__(self, adapted: AdaptedModel, memory: FactMemory) -> None:
        self.adapted, self.memory = adapted, memory

    def source(self, route: Route) -> str:
        return route.fact_id or BASE

    @contextmanager
    def acting(self, source: str) -> Iterator[AdaptedModel]:
        with self.adapted.adapter.disabled():
            yield self.adapted if source == BASE else self.told(self.memory.entry(source).fact)

    def told(self, fact: Fact) -> AdaptedModel:
        """The base, told one fact in its system prompt."""
        return framed(self.adapted, fact)


class Echo(Retrieved):
    """What is stored of the fact that the gate picks, whatever was asked."""

    def told(self, fact: Fact) -> AdaptedModel:
        return Sentence(self.adapted, fact)


class RetrievedAdapter(PerFact):
    """The fact's own adapter acts, and the fact stands in its prompt as well."""

    def __init__(self, inner: PerFact, memory: FactMemory) -> None:
        super().__init__(inner.trainer, inner.store)
        self.memory = memory

    @contextmanager
    def acting(self, source: str) -> Iterator[AdaptedModel]:
        with super().acting(source) as model:
            yield model if source == BASE else framed(model, self.memory.entry(source).fact)


@dataclass(frozen=True)
class Sentence:
    """Answers with one sentence. Where logits are asked for, they are the base's."""

    adapted: AdaptedModel
    fact: Fact

    def answer(self, questions: Sequence[str], *, max_new_tokens: int = 32) -> list[str]:
        stored = self.fact.statement if self.fact.question else as_told(self.fact)
        return [stored] * len(questions)

    def logits(self, rows: Rows) -> Tensor:
        return self.adapted.base_logits(rows)

    def reframe(self, rows: Rows) -> Rows:
        return rows


def framed(adapted: AdaptedModel, *facts: Fact) -> AdaptedModel:
    """The model with these facts in its system prompt."""
    return AdaptedModel(adapted.adapter, system=system_prompt(facts), max_length=adapted.max_length)
