"""The learner among its teachers: one query from question to provenance, and rounds in which
consensus teaches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fledgling.core.errors import DataError
from fledgling.core.records import StepRecord, Turn
from fledgling.facts.flow import learn
from fledgling.facts.learner import OnlineLearner
from fledgling.teachers.aggregators.agreement import Embed, holds, pair_score
from fledgling.teachers.answers import Answer, Decide, Decision
from fledgling.teachers.mock import QuizQuestion
from fledgling.teachers.pool import TeacherPool
from fledgling.teachers.settings import TeachersSection

LEARNER = "learner"


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


def learner_answer(learner: OnlineLearner, question: str, section: TeachersSection) -> Answer:
    """The learner as a member of the pool: its confidence is the gate's, where it was taught about
    the question.
    """
    reply = learner.answer([question])[0]
    unsure = section.teaching.unsure
    taught = reply.route.fact_id is not None
    sure = max(reply.route.probability, unsure) if taught else unsure
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
    own = learner_answer(learner, question, pool.section)
    stages = [Stage("learner", own.text, own.confidence)]
    answers = [own, *pool.ask(question).answers]
    decision = decide(question, answers)
    stages.append(Stage("pool", decision.text, decision.confidence, decision.reason))
    if decision.flagged and endpoint is not None:
        answers += endpoint.ask(question).answers
        decision = decide(question, answers)
        stages.append(Stage("endpoint", decision.text, decision.confidence, decision.reason))
    if decision.kind == "abstain":
        note = "the pool abstained; the learner's own answer, flagged"
        final = Stage("final", own.text, own.confidence, note)
        return FinalAnswer(own.text, LEARNER, True, decision, (*stages, final))
    final = Stage("final", decision.text, decision.confidence, decision.kind)
    source, flagged = decision.model_name, decision.flagged
    return FinalAnswer(decision.text, source, flagged, decision, (*stages, final))


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
    said = f"{question.question} {decision.text}"
    turn = Turn(said, question=question.question, answer=decision.text)
    events = [step.event for step in learn(learner, [turn], reply=False)]
    values |= {"updates": events.count("update"), "kept": "remembered" in events}
    return StepRecord(number, "taught", question.id, values)


def agrees(left: str, right: str, section: TeachersSection, embed: Embed) -> bool:
    """Whether two answers say the same, by the pool's own measure."""
    vectors = embed([left, right])
    score = pair_score(left, right, float(vectors[0] @ vectors[1]), section.agreement)
    return score >= section.agreement.same


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
    answers = {question.id: reply.text for question, reply in zip(questions, replies, strict=True)}
    wrong: dict[str, list[bool]] = {}
    agreed, trusted = [], 0
    for question in questions:
        answer, decision = answers[question.id], consensus[question.id]
        wrong.setdefault(question.task, []).append(not holds(answer, question.answer))
        trusted += is_trusted(decision, section)
        if decision.text:
            agreed.append(agrees(answer, decision.text, section, embed))
    values = {
        "error": sum(map(sum, wrong.values())) / len(questions),
        "agreement": sum(agreed) / max(len(agreed), 1),
        "trusted": trusted / len(questions),
        "tasks": {task: sum(found) / len(found) for task, found in wrong.items()},
        "answers": answers,
    }
    return StepRecord(number, "round", values=values)
