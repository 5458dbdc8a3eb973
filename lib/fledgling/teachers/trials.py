"""Pools put to the quiz: what each kind of pool does to agreement, confidence and truth, and what
size buys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from fledgling.core.layers import override
from fledgling.core.records import StepRecord
from fledgling.teachers.aggregators.agreement import Embed, holds
from fledgling.teachers.aggregators.decision import decide
from fledgling.teachers.aggregators.trust import Trust
from fledgling.teachers.answers import Answer, Decision, Teacher
from fledgling.teachers.gold import evidence_of, fit_evidence
from fledgling.teachers.mock import MockTeacher, QuizQuestion, mock_pool
from fledgling.teachers.pool import PoolReply, TeacherPool
from fledgling.teachers.settings import MockManner, TeachersSection
from fledgling.teachers.simulated_time import SimulatedTime


def try_pool(
    teachers: Sequence[Teacher],
    quiz: Sequence[QuizQuestion],
    section: TeachersSection,
    embed: Embed,
    *,
    trust: Trust | None = None,
) -> Iterator[tuple[QuizQuestion, PoolReply, Decision]]:
    """Ask one pool the whole quiz and decide on every question. A pool of mocks alone answers in
    simulated time, one question after another: it costs nothing, and nobody is late by chance.
    """
    simulated = all(isinstance(teacher, MockTeacher) for teacher in teachers)
    if simulated:
        section = override(section, {"pool.concurrency": 1})
    with TeacherPool(teachers, section, loop=SimulatedTime() if simulated else None) as pool:
        replies = pool.ask_many([item.question for item in quiz])
        for question, reply in zip(quiz, replies, strict=True):
            decision = decide(question.question, reply.answers, section, embed, trust=trust)
            yield question, reply, decision


def try_pools(
    pools: Mapping[str, Sequence[Teacher]],
    quiz: Sequence[QuizQuestion],
    section: TeachersSection,
    embed: Embed,
) -> Iterator[StepRecord]:
    """One ``pool`` record for each pool: means over the quiz, and the shares right and flagged."""
    for number, (name, teachers) in enumerate(pools.items()):
        tried = list(try_pool(teachers, quiz, section, embed))
        yield StepRecord(number, "pool", name, {"pool": name, **_summary(tried)})


def try_sizes(
    sizes: Sequence[int],
    quiz: Sequence[QuizQuestion],
    section: TeachersSection,
    embed: Embed,
    *,
    accuracy: float,
    correlation: float,
    latency_s: float,
    seed: int,
) -> Iterator[StepRecord]:
    """One ``size`` record for each pool size, independent and correlated. The whole pool is heard
    every time.
    """
    for name, rho in (("independent errors", 0.0), ("correlated errors", correlation)):
        manner = MockManner(accuracy=accuracy, correlation=rho, latency_s=latency_s)
        for size in sizes:
            everybody = {"pool.max_teachers": size, "pool.quorum": size}
            whole = override(section, everybody | {"decision.choice": "majority"})
            teachers = mock_pool(quiz, manner, size=size, seed=seed)
            values = _summary(list(try_pool(teachers, quiz, whole, embed)))
            yield StepRecord(size, "size", name, {"pool": name, "size": size, **values})


def _summary(tried: Sequence[tuple[QuizQuestion, PoolReply, Decision]]) -> dict[str, float]:
    decisions = [decision for _, _, decision in tried]
    right = [holds(decision.text, question.answer) for question, _, decision in tried]
    agreed = [decision.kind == "best" for decision in decisions]
    means = {
        name: float(np.mean([getattr(decision, name) for decision in decisions]))
        for name in ("agreement", "quality", "confidence", "flagged")
    }
    return means | {
        "accuracy": float(np.mean(right)),
        "unanimous_wrong": float(np.mean(np.array(agreed) & ~np.array(right))),
        "latency_ms": float(np.median([reply.seconds for _, reply, _ in tried]) * 1000),
    }


def learn_trust(
    quiz: Sequence[QuizQuestion],
    answers: Sequence[Sequence[Answer]],
    teachers: Sequence[str],
    section: TeachersSection,
    embed: Embed,
) -> Trust:
    """Trust from quiz questions whose answers are known: ``answers[q]`` are the pool's answers to
    ``quiz[q]``.
    """
    evidence = [
        evidence_of(question.question, given, [question.answer], section, embed)
        for question, given in zip(quiz, answers, strict=True)
    ]
    return fit_evidence(evidence, teachers, section)


def decision_record(
    number: int, question: QuizQuestion, reply: PoolReply, decision: Decision
) -> StepRecord:
    """One question of the quiz, what each teacher said and what was decided."""
    values = {
        "kind": decision.kind,
        "agreement": decision.agreement,
        "confidence": decision.confidence,
        "flagged": decision.flagged,
        "answers": {answer.model_name: answer.text for answer in reply.usable},
        "right": holds(decision.text, question.answer),
    }
    return StepRecord(number, "decision", question.id, values)


def who_was_right(
    tried: Sequence[tuple[QuizQuestion, PoolReply, Decision]], names: Sequence[str]
) -> np.ndarray:
    """Which teacher (columns) was right on which question (rows), (Q, T); silence is not right."""
    rows = []
    for question, reply, _ in tried:
        said = {answer.model_name: answer.text for answer in reply.usable}
        rows.append([holds(said.get(name, ""), question.answer) for name in names])
    return np.array(rows, dtype=bool)


def flags_on_agreement(
    decisions: Sequence[Decision], correct: Sequence[bool], section: TeachersSection
) -> dict[str, float]:
    """Of the decisions that teachers agreed on: the share right, and the shares flagged of the
    wrong and of the right ones; a share of nothing is left out.
    """
    agreed = [
        (bool(right), decision.flagged)
        for decision, right in zip(decisions, correct, strict=True)
        if decision.agreement > section.decision.agreement
    ]
    found = {
        "agreement_right": [right for right, _ in agreed],
        "wrong_together.flagged": [flagged for right, flagged in agreed if not right],
        "right_together.flagged": [flagged for right, flagged in agreed if right],
    }
    return {name: float(np.mean(values)) for name, values in found.items() if values}
