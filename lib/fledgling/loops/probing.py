"""Asking a learner what it knows, and measuring what the lessons did to everything else."""

from __future__ import annotations

from collections.abc import Sequence

from fledgling.data.fact_streams import TaughtFact
from fledgling.loops.learner import BASE, OnlineLearner
from fledgling.metrics.editing import NeighbourResult, ProbeResult, contains, editing_metrics, is_exact
from fledgling.metrics.stability import Drift, drift, stability_metrics
from fledgling.models.rows import Rows
from fledgling.records import Example


def ask_probes(learner: OnlineLearner, facts: Sequence[TaughtFact]) -> list[ProbeResult]:
    """Every probe of the facts, answered freely and greedily."""
    asked = [(fact, probe) for fact in facts for probe in fact.probes]
    questions = [probe.question for _, probe in asked]
    opened = [key != BASE for key in learner.keys(questions)]
    answers = learner.answer(questions)
    return [ProbeResult(fact.id, probe.kind, probe.question, answer, contains(answer, probe.answers),
                        is_exact(answer, probe.answers), is_open)
            for (fact, probe), answer, is_open in zip(asked, answers, opened, strict=True)]


def ask_neighbours(learner: OnlineLearner, facts: Sequence[TaughtFact], base_answers: dict[str, str]) -> list[NeighbourResult]:
    """Every neighbour question, beside the frozen base's answer, which is kept in ``base_answers`` between calls."""
    asked = [(fact, neighbour) for fact in facts for neighbour in fact.neighbours]
    questions = [neighbour.question for _, neighbour in asked]
    fresh = [question for question in dict.fromkeys(questions) if question not in base_answers]
    base_answers.update(zip(fresh, learner.base_answer(fresh), strict=True))
    opened = [key != BASE for key in learner.keys(questions)]
    answers = learner.answer(questions)
    return [NeighbourResult(fact.id, neighbour.kind, neighbour.question, answer, base_answers[neighbour.question],
                            contains(answer, neighbour.forbidden)
                            and not contains(base_answers[neighbour.question], neighbour.forbidden), is_open)
            for (fact, neighbour), answer, is_open in zip(asked, answers, opened, strict=True)]


class AnchorSet:
    """Held-out prompts with the frozen base's own answers: only ever measured, never trained on."""

    def __init__(self, learner: OnlineLearner, prompts: Sequence[str]) -> None:
        self.prompts = list(prompts)
        self.answers = learner.base_answer(self.prompts)
        self.examples = [Example(prompt, answer or ".", "anchor")
                         for prompt, answer in zip(self.prompts, self.answers, strict=True)]

    def measure(self, learner: OnlineLearner) -> dict[str, float | None]:
        """``anchor_kl``, ``locality``, ``anchor_ppl_ratio`` and ``answers_unchanged`` of the learner as it is now."""
        keys, total = learner.keys(self.prompts), Drift()
        for key in dict.fromkeys(keys):
            rows = self._rows(learner, [index for index, other in enumerate(keys) if other == key])
            base = learner.adapted.base_logits(rows)
            with learner.acting(key):
                total += drift(base, learner.adapted.logits(rows).detach(), rows.targets)
        now = learner.answer(self.prompts)
        return stability_metrics(total, [a == b for a, b in zip(now, self.answers, strict=True)])

    def _rows(self, learner: OnlineLearner, chosen: Sequence[int]) -> Rows:
        return learner.adapted.encode([self.examples[index] for index in chosen])


def evaluate(learner: OnlineLearner, facts: Sequence[TaughtFact], anchors: AnchorSet,
             base_answers: dict[str, str]) -> tuple[dict[str, float | None], list[ProbeResult], list[NeighbourResult]]:
    """All editing and stability metrics of the contract, with the results they are made of."""
    probes, neighbours = ask_probes(learner, facts), ask_neighbours(learner, facts, base_answers)
    return {**editing_metrics(probes, neighbours), **anchors.measure(learner)}, probes, neighbours
