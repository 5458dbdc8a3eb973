"""The learner among its teachers: one query from question to provenance, and rounds in which
consensus teaches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from fledgling.core.errors import DataError
from fledgling.core.records import Answer, Decision, StepRecord, Turn
from fledgling.facts.flow import learn
from fledgling.facts.learner import OnlineLearner
from fledgling.teachers.aggregators.agreement import Embed, holds, pair_score
from fledgling.teachers.mock import QuizQuestion
from fledgling.teachers.pool import TeacherPool
from fledgling.teachers.settings import TeachersSection

LEARNER = "learner"
_UNSURE = 0.5  # the learner's confidence in what it was never taught

Decide = Callable[[str, Sequence[Answer]], Decision]


@dataclass(frozen=True)
class Stage:
    """One stage a question passed: learner, pool, endpoint or final; what it said and how sure it
    was.
    """

    name: str
    said: str
    confidence: float
    note: str = ""


@dataclass(frozen=True)
class FinalAnswer:
    """The answer, who gave it, whether a person should look, and every stage that led there."""

    text: str
    source: str
    flagged: bool
    decision: Decision
    provenance: tuple[Stage, ...]


def learner_answer(learner: OnlineLearner, question: str) -> Answer:
    """The learner as a member of the pool: its confidence is the gate's, where it was taught about
    the question.
    """
    reply = learner.answer([question])[0]
    taught = reply.route.fact_id is not None
    sure = max(reply.route.probability, _UNSURE) if taught else _UNSURE
    return Answer(reply.text, LEARNER, sure, len(reply.text.split()))


def answer_query(
    question: str,
    *,
    learner: OnlineLearner,
    pool: TeacherPool,
    decide: Decide,
    endpoint: TeacherPool | None = None,
) -> FinalAnswer:
    """Learner → pool → optional endpoint → final answer. The endpoint is asked only when the pool
    leaves a doubt.

    The learner always has an answer; it stands, flagged, where nobody else could be heard or
    believed.
    """
    own = learner_answer(learner, question)
    stages = [Stage("learner", own.text, own.confidence)]
    answers = [own, *pool.ask(question).answers]
    decision = decide(question, answers)
    stages.append(Stage("pool", decision.text, decision.confidence, decision.reason))
    if decision.flagged and endpoint is not None:
        answers += endpoint.ask(question).answers
        decision = decide(question, answers)
        stages.append(Stage("endpoint", decision.text, decision.confidence, decision.reason))
    if decision.kind == "abstain":
        stages.append(
            Stage(
                "final",
                own.text,
                own.confidence,
                "the pool abstained; the learner's own answer, flagged",
            )
        )
        return FinalAnswer(own.text, LEARNER, True, decision, tuple(stages))
    stages.append(Stage("final", decision.text, decision.confidence, decision.kind))
    return FinalAnswer(
        decision.text, decision.model_name, decision.flagged, decision, tuple(stages)
    )


def consult(
    pool: TeacherPool, questions: Sequence[QuizQuestion], decide: Decide
) -> dict[str, Decision]:
    """What the pool decides on each question, by the question's id; the learner is not heard."""
    replies = pool.ask_many([question.question for question in questions])
    return {
        question.id: decide(question.question, reply.answers)
        for question, reply in zip(questions, replies, strict=True)
    }


def is_trusted(decision: Decision, section: TeachersSection) -> bool:
    """Whether a consensus may teach: given, not flagged, and believed enough."""
    return (
        decision.kind != "abstain"
        and not decision.flagged
        and decision.confidence >= section.teaching.min_trust
    )


def teach_rounds(
    learner: OnlineLearner,
    questions: Sequence[QuizQuestion],
    consensus: dict[str, Decision],
    section: TeachersSection,
    embed: Embed,
) -> Iterator[StepRecord]:
    """Hold the learner against the consensus, round after round, and teach it where they differ and
    trust allows.

    Yields ``round`` with the error of each task and the agreement (round 0 comes before any
    lesson), and for every question ``taught``, ``agreed`` or ``untrusted``. Raises ``DataError``
    where a question has no decision.
    """
    missing = [question.id for question in questions if question.id not in consensus]
    if missing:
        raise DataError(
            f"the pool has not decided on {', '.join(missing)}; consult it on all questions first"
        )
    yield measure_round(learner, questions, consensus, section, embed, number=0)
    for number in range(1, section.teaching.rounds + 1):
        for question in questions:
            yield _lesson(learner, question, consensus[question.id], section, embed, number=number)
        yield measure_round(learner, questions, consensus, section, embed, number=number)


def _lesson(
    learner: OnlineLearner,
    question: QuizQuestion,
    decision: Decision,
    section: TeachersSection,
    embed: Embed,
    *,
    number: int,
) -> StepRecord:
    before = learner.answer([question.question])[0].text
    values = {
        "task": question.task,
        "question": question.question,
        "learner": before,
        "teachers": decision.text,
        "confidence": decision.confidence,
        "right": holds(decision.text, question.answer),
    }
    if not is_trusted(decision, section):
        return StepRecord(number, "untrusted", question.id, values)
    if agrees(before, decision.text, section, embed):
        return StepRecord(number, "agreed", question.id, values)
    turn = Turn(
        f"{question.question} {decision.text}", question=question.question, answer=decision.text
    )
    steps = list(learn(learner, [turn], reply=False))
    values |= {
        "updates": sum(step.event == "update" for step in steps),
        "kept": any(step.event == "remembered" for step in steps),
    }
    return StepRecord(number, "taught", question.id, values)


def agrees(left: str, right: str, section: TeachersSection, embed: Embed) -> bool:
    """Whether two answers say the same, by the pool's own measure."""
    vectors = embed([left, right])
    return (
        pair_score(left, right, float(vectors[0] @ vectors[1]), section.agreement)
        >= section.agreement.same
    )


def measure_round(
    learner: OnlineLearner,
    questions: Sequence[QuizQuestion],
    consensus: dict[str, Decision],
    section: TeachersSection,
    embed: Embed,
    *,
    number: int,
) -> StepRecord:
    """Error per task and over all, on the questions and on those trusted, and agreement with the
    consensus.
    """
    replies = learner.answer([question.question for question in questions])
    answers = [reply.text for reply in replies]
    wrong = {
        question.id: not holds(answer, question.answer)
        for question, answer in zip(questions, answers, strict=True)
    }
    names = dict.fromkeys(question.task for question in questions)
    tasks = {
        task: [wrong[question.id] for question in questions if question.task == task]
        for task in names
    }
    agreed = [
        agrees(answer, consensus[question.id].text, section, embed)
        for question, answer in zip(questions, answers, strict=True)
        if consensus[question.id].text
    ]
    return StepRecord(
        number,
        "round",
        values={
            "error": sum(wrong.values()) / len(wrong),
            "agreement": sum(agreed) / max(len(agreed), 1),
            "trusted": sum(is_trusted(consensus[question.id], section) for question in questions)
            / len(questions),
            "tasks": {task: sum(found) / len(found) for task, found in tasks.items()},
            "answers": {
                question.id: answer for question, answer in zip(questions, answers, strict=True)
            },
        },
    )
