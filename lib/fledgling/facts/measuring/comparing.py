"""Several recipes on the same facts: one stream of records, each naming its recipe and seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from fledgling.core.records import StepRecord
from fledgling.facts.learner import GateReaders
from fledgling.facts.measuring.experiments import run_stream
from fledgling.facts.measuring.streams import TaughtFact
from fledgling.facts.settings import FactsSection
from fledgling.language.settings import LanguageSection
from fledgling.models.loading import LoadedModel


def compare(
    loaded: LoadedModel,
    readers: GateReaders,
    recipes: Mapping[str, FactsSection],
    language: LanguageSection,
    streams: Mapping[int, Sequence[TaughtFact]],
    *,
    anchors: Sequence[str],
    matrix: bool = False,
    replying: Sequence[str] = ("default",),
) -> Iterator[StepRecord]:
    """Run each recipe on the stream of each seed. ``recipes``: name → configuration; ``streams``:
    seed → facts.

    The frozen base is asked each question once, for all recipes. Only the recipes in ``replying``
    also reply to each turn, which costs time and changes nothing that is measured but the time of a
    turn.
    """
    base_answers: dict[str, str] = {}
    for name, section in recipes.items():
        for seed, facts in streams.items():
            records = run_stream(
                loaded,
                readers,
                section,
                language,
                facts,
                name=name,
                anchors=anchors,
                seed=seed,
                matrix=matrix,
                reply=name in replying,
                base_answers=base_answers,
            )
            for record in records:
                yield replace(record, values={"recipe": name, "seed": seed, **record.values})
