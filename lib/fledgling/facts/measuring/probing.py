"""Asking a learner what it knows, and measuring what the lessons did to everything else."""

from __future__ import annotations

from collections.abc import Sequence

import pandas
import torch

from fledgling.core.answers import contains, is_exact
from fledgling.core.records import Example, Turn
from fledgling.facts.gate.cases import GateCase
from fledgling.facts.gate.gate import Gate
from fledgling.facts.learner import OnlineLearner
from fledgling.facts.measuring.editing import (
    NeighbourResult,
    ProbeResult,
    editing_metrics,
)
from fledgling.facts.measuring.scoring import is_right
from fledgling.facts.measuring.stability import Drift, drift, stability_metrics
from fledgling.facts.measuring.streams import TaughtFact
from fledgling.facts.placements import BASE
from fledgling.language.facts import take_at_word
from fledgling.language.settings import LanguageSection


def ask_probes(
    learner: OnlineLearner,
    facts: Sequence[TaughtFact],
    base_answers: dict[str, str] | None = None,
) -> list[ProbeResult]:
    """Every probe of the facts, answered freely and greedily."""
    asked = [(fact, probe) for fact in facts for probe in fact.probes]
    base_answers = {} if base_answers is None else base_answers
    replies = ask(learner, [probe.question for _, probe in asked], base_answers)
    stated = {fact.id: (fact.turn.text, fact_as_stored(learner, fact)) for fact in facts}
    return [
        ProbeResult(
            fact.id,
            probe.kind,
            probe.question,
            text,
            is_right(probe, text, stated=stated[fact.id]),
            is_exact(text, probe.answers),
            source != BASE,
            probe.form,
        )
        for (fact, probe), (text, source) in zip(asked, replies, strict=True)
    ]


def fact_as_stored(learner: OnlineLearner, fact: TaughtFact) -> str:
    """The statement under which the learner would store a fact."""
    return take_at_word(fact.turn, learner.language, learner.judge).statement


def ask_neighbours(
    learner: OnlineLearner, facts: Sequence[TaughtFact], base_answers: dict[str, str]
) -> list[NeighbourResult]:
    """Every neighbour question, beside the frozen base's answer, which is kept in ``base_answers``
    between calls.
    """
    asked = [(fact, neighbour) for fact in facts for neighbour in fact.neighbours]
    questions = [neighbour.question for _, neighbour in asked]
    recall_base(learner, questions, base_answers)
    results = []
    replies = ask(learner, questions, base_answers)
    for (fact, neighbour), (text, source) in zip(asked, replies, strict=True):
        base = base_answers[neighbour.question]
        spilled = contains(text, neighbour.forbidden)
        hit = spilled and not contains(base, neighbour.forbidden)
        opened = source != BASE
        results.append(
            NeighbourResult(fact.id, neighbour.kind, neighbour.question, text, base, hit, opened)
        )
    return results


def ask(
    learner: OnlineLearner, questions: Sequence[str], base_answers: dict[str, str]
) -> list[tuple[str, str]]:
    """Every question's answer and what gave it. The frozen base always answers the same, so it is
    asked each question once, and its answers are kept in ``base_answers``.
    """
    sources = learner.sources(questions)
    by_base = [text for text, source in zip(questions, sources, strict=True) if source == BASE]
    recall_base(learner, by_base, base_answers)
    moved = [text for text, source in zip(questions, sources, strict=True) if source != BASE]
    fresh = iter(learner.answer(moved) if moved else [])
    return [
        (base_answers[text] if source == BASE else next(fresh).text, source)
        for text, source in zip(questions, sources, strict=True)
    ]


def recall_base(
    learner: OnlineLearner, questions: Sequence[str], base_answers: dict[str, str]
) -> list[str]:
    """The frozen base's answers; each question is asked once and kept in ``base_answers``."""
    fresh = [question for question in dict.fromkeys(questions) if question not in base_answers]
    if fresh:
        base_answers.update(zip(fresh, learner.base_answer(fresh), strict=True))
    return [base_answers[question] for question in questions]


def try_gate(
    gate: Gate, cases: Sequence[GateCase], section: LanguageSection
) -> tuple[pandas.DataFrame, float, float]:
    """Teach ``gate`` every statement of ``cases``, then ask. A question is opened rightly only for
    its own statement.

    Returns one row a kind (asked, opened, opened for its own fact, what it should be), precision
    and recall.
    """
    facts = {
        turn: take_at_word(Turn(turn), section)
        for turn in dict.fromkeys(case.turn for case in cases)
    }
    gate.add_all(facts.values())
    routes = gate.route([case.question for case in cases])
    tried = pandas.DataFrame(
        {
            "kind": [case.kind.replace("_", " ") for case in cases],
            "should be": ["open" if case.concerns else "closed" for case in cases],
            "opened": [route.fact_id is not None for route in routes],
            "for its own fact": [
                route.fact_id == facts[case.turn].id
                for case, route in zip(cases, routes, strict=True)
            ],
        }
    )
    right = (tried["for its own fact"] & (tried["should be"] == "open")).sum()
    table = tried.groupby("kind", sort=False).agg(
        **{
            "asked": ("opened", "size"),
            "opened": ("opened", "sum"),
            "for its own fact": ("for its own fact", "sum"),
            "should be": ("should be", "first"),
        }
    )
    return (
        table,
        right / max(tried["opened"].sum(), 1),
        right / (tried["should be"] == "open").sum(),
    )


class AnchorSet:
    """Held-out prompts with the frozen base's own answers: only ever measured, never trained on."""

    def __init__(
        self,
        learner: OnlineLearner,
        prompts: Sequence[str],
        base_answers: dict[str, str] | None = None,
    ) -> None:
        self.prompts = list(prompts)
        self.answers = recall_base(
            learner, self.prompts, {} if base_answers is None else base_answers
        )
        self.latest: list[str] = []  # the answers at the last measurement
        self.examples = [
            Example(prompt, answer or ".", "anchor")
            for prompt, answer in zip(self.prompts, self.answers, strict=True)
        ]

    def measure(self, learner: OnlineLearner) -> dict[str, float | None]:
        """``anchor_kl``, ``locality``, ``anchor_ppl_ratio`` and ``answers_unchanged`` of the
        learner as it is now, each anchor by whatever answers it.
        """
        sources = learner.sources(self.prompts)
        total = Drift()
        for source in dict.fromkeys(sources):
            chosen = [place for place, other in enumerate(sources) if other == source]
            rows = learner.adapted.encode([self.examples[place] for place in chosen])
            base = learner.adapted.base_logits(rows)
            with learner.placement.acting(source) as model, torch.no_grad():
                framed = rows if model is learner.adapted else model.reframe(rows)
                total += drift(base, model.logits(framed), rows.targets)
        known = dict(zip(self.prompts, self.answers, strict=True))
        self.latest = [text for text, _ in ask(learner, self.prompts, known)]
        pairs = zip(self.latest, self.answers, strict=True)
        return stability_metrics(total, [now == before for now, before in pairs])


def evaluate(
    learner: OnlineLearner,
    facts: Sequence[TaughtFact],
    anchors: AnchorSet,
    base_answers: dict[str, str],
) -> tuple[dict[str, float | None], list[ProbeResult], list[NeighbourResult]]:
    """All editing and stability metrics of the contract, with the results they are made of."""
    probes = ask_probes(learner, facts, base_answers)
    neighbours = ask_neighbours(learner, facts, base_answers)
    return {**editing_metrics(probes, neighbours), **anchors.measure(learner)}, probes, neighbours
