"""Pools put to the quiz: what each kind of pool does to agreement, confidence and truth, and what
size buys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from fledgling.core.layers import override
from fledgling.core.records import Answer, Decision, StepRecord
from fledgling.teachers.aggregators.agreement import Embed, holds, measure_agreement
from fledgling.teachers.aggregators.decision import decide
from fledgling.teachers.aggregators.trust import Trust, fit_trust_from_groups
from fledgling.teachers.base import Teacher
from fledgling.teachers.mock import MockManner, QuizQuestion, mock_pool
from fledgling.teachers.pool import PoolReply, TeacherPool
from fledgling.teachers.settings import TeachersSection


def try_pool(
    teachers: Sequence[Teacher],
    quiz: Sequence[QuizQuestion],
    section: TeachersSection,
    embed: Embed,
    *,
    trust: Trust | None = None,
) -> Iterator[tuple[QuizQuestion, PoolReply, Decision]]:
    """Ask one pool the whole quiz and decide on every question."""
    with TeacherPool(teachers, section) as pool:
        for question, reply in zip(
            quiz, pool.ask_many([item.question for item in quiz]), strict=True
        ):
            yield (
                question,
                reply,
                decide(question.question, reply.answers, section, embed, trust=trust),
            )


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
            whole = override(
                section,
                {"pool.max_teachers": size, "pool.quorum": size, "decision.choice": "majority"},
            )
            tried = list(
                try_pool(mock_pool(quiz, manner, size=size, seed=seed), quiz, whole, embed)
            )
            yield StepRecord(size, "size", name, {"pool": name, "size": size, **_summary(tried)})


def _summary(tried: Sequence[tuple[QuizQuestion, PoolReply, Decision]]) -> dict[str, float]:
    decisions = [decision for _, _, decision in tried]
    return {
        "agreement": float(np.mean([decision.agreement for decision in decisions])),
        "quality": float(np.mean([decision.quality for decision in decisions])),
        "confidence": float(np.mean([decision.confidence for decision in decisions])),
        "accuracy": float(
            np.mean([holds(decision.text, question.answer) for question, _, decision in tried])
        ),
        "flagged": float(np.mean([decision.flagged for decision in decisions])),
        "unanimous_wrong": float(
            np.mean(
                [
                    decision.kind == "best" and not holds(decision.text, question.answer)
                    for question, _, decision in tried
                ]
            )
        ),
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
    groups, right = [], []
    for question, given in zip(quiz, answers, strict=True):
        usable = [answer for answer in given if answer.error is None and answer.text.strip()]
        camp = dict.fromkeys(teachers, -1)
        if usable:
            texts = [answer.text for answer in usable]
            found = measure_agreement(texts, embed(texts), section.agreement).groups
            camp |= {answer.model_name: group for answer, group in zip(usable, found, strict=True)}
        said = {answer.model_name: holds(answer.text, question.answer) for answer in usable}
        groups.append([camp[teacher] for teacher in teachers])
        right.append([said.get(teacher, False) for teacher in teachers])
    return fit_trust_from_groups(groups, right, teachers, section.trust)
