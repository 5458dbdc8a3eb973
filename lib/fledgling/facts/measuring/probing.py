"""Asking a learner what it knows, and measuring what the lessons did to everything else."""

from __future__ import annotations

from collections.abc import Sequence

import pandas
import torch
from torch import Tensor

from fledgling.core.records import Example, Turn
from fledgling.facts.gate.cases import GateCase
from fledgling.facts.gate.gate import Gate
from fledgling.facts.learner import BASE, OnlineLearner
from fledgling.facts.measuring.editing import (
    NeighbourResult,
    ProbeResult,
    contains,
    editing_metrics,
    is_exact,
)
from fledgling.facts.measuring.stability import Drift, drift, stability_metrics
from fledgling.facts.measuring.streams import TaughtFact
from fledgling.language.facts import take_at_word
from fledgling.language.settings import LanguageSection
from fledgling.models.rows import Rows


def ask_probes(learner: OnlineLearner, facts: Sequence[TaughtFact]) -> list[ProbeResult]:
    """Every probe of the facts, answered freely and greedily."""
    asked = [(fact, probe) for fact in facts for probe in fact.probes]
    questions = [probe.question for _, probe in asked]
    opened = [key != BASE for key in learner.keys(questions)]
    answers = learner.answer(questions)
    return [
        ProbeResult(
            fact.id,
            probe.kind,
            probe.question,
            answer,
            contains(answer, probe.answers),
            is_exact(answer, probe.answers),
            is_open,
        )
        for (fact, probe), answer, is_open in zip(asked, answers, opened, strict=True)
    ]


def ask_neighbours(
    learner: OnlineLearner, facts: Sequence[TaughtFact], base_answers: dict[str, str]
) -> list[NeighbourResult]:
    """Every neighbour question, beside the frozen base's answer, which is kept in ``base_answers``
    between calls.
    """
    asked = [(fact, neighbour) for fact in facts for neighbour in fact.neighbours]
    questions = [neighbour.question for _, neighbour in asked]
    recall_base(learner, questions, base_answers)
    opened = [key != BASE for key in learner.keys(questions)]
    answers = learner.answer(questions)
    return [
        NeighbourResult(
            fact.id,
            neighbour.kind,
            neighbour.question,
            answer,
            base_answers[neighbour.question],
            contains(answer, neighbour.forbidden)
            and not contains(base_answers[neighbour.question], neighbour.forbidden),
            is_open,
        )
        for (fact, neighbour), answer, is_open in zip(asked, answers, opened, strict=True)
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
        learner as it is now.
        """
        keys, total = learner.keys(self.prompts), Drift()
        for key in dict.fromkeys(keys):
            rows = self._rows(learner, [index for index, other in enumerate(keys) if other == key])
            base = learner.adapted.base_logits(rows)
            total += drift(base, self._logits(learner, key, rows), rows.targets)
        self.latest = self._answers(learner, keys)
        return stability_metrics(
            total, [a == b for a, b in zip(self.latest, self.answers, strict=True)]
        )

    def _logits(self, learner: OnlineLearner, key: str, rows: Rows) -> Tensor:
        """(N, V) by whatever answers now: an adapter, or the base with facts in its prompt."""
        told = learner.in_prompt()
        if key == BASE and told:
            reader = learner.told(told)
            return reader.base_logits(reader.reframe(rows))
        with learner.acting(key), torch.no_grad():
            return learner.adapted.logits(rows)

    def _answers(self, learner: OnlineLearner, keys: Sequence[str]) -> list[str]:
        """The answers now; where the plain base answers they are what it answered before."""
        plain = not learner.in_prompt()
        asked = [
            prompt
            for prompt, key in zip(self.prompts, keys, strict=True)
            if key != BASE or not plain
        ]
        fresh = dict(zip(asked, learner.answer(asked), strict=True)) if asked else {}
        return [
            fresh.get(prompt, answer)
            for prompt, answer in zip(self.prompts, self.answers, strict=True)
        ]

    def _rows(self, learner: OnlineLearner, chosen: Sequence[int]) -> Rows:
        return learner.adapted.encode([self.examples[index] for index in chosen])


def evaluate(
    learner: OnlineLearner,
    facts: Sequence[TaughtFact],
    anchors: AnchorSet,
    base_answers: dict[str, str],
) -> tuple[dict[str, float | None], list[ProbeResult], list[NeighbourResult]]:
    """All editing and stability metrics of the contract, with the results they are made of."""
    probes, neighbours = ask_probes(learner, facts), ask_neighbours(learner, facts, base_answers)
    return {**editing_metrics(probes, neighbours), **anchors.measure(learner)}, probes, neighbours
