"""The query flow and the teaching rounds, with a learner made of a dictionary."""

from collections.abc import Iterator

import pytest

from fledgling.core.errors import DataError
from fledgling.core.records import StepRecord, Turn
from fledgling.facts.gate.gate import Route
from fledgling.facts.learner import Reply
from fledgling.models.tiny import WordEmbedder
from fledgling.settings import load_config
from fledgling.teachers import teaching
from fledgling.teachers.aggregators.decision import decide
from fledgling.teachers.answers import Answer, Decision
from fledgling.teachers.mock import FixedTeacher, load_quiz, mock_pool
from fledgling.teachers.pool import TeacherPool

QUIZ = load_quiz()[:6]
SECTION = load_config(
    overrides={"teachers": {"pool": {"deadline_s": 2.0}, "teaching": {"min_trust": 0.7}}}
).teachers


embed = WordEmbedder().embed


def rule(question: str, answers: list[Answer]) -> Decision:
    return decide(question, answers, SECTION, embed)


class Memory:
    """Answers what it was taught, else "I think it is blue."."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def answer(self, questions: list[str]) -> list[Reply]:
        return [self._reply(question) for question in questions]

    def _reply(self, question: str) -> Reply:
        if question in self.known:
            return Reply(self.known[question], "f", Route("f", 0.9, question))
        return Reply("I think it is blue.", "base", Route(None, 0.0, question))


@pytest.fixture
def learner(monkeypatch: pytest.MonkeyPatch) -> Memory:
    def learn(memory: Memory, turns: list[Turn], *, reply: bool) -> Iterator[StepRecord]:
        for turn in turns:
            memory.known[turn.question] = turn.answer
            yield StepRecord(1, "update")
            yield StepRecord(1, "remembered")

    monkeypatch.setattr(teaching, "learn", learn)
    return Memory()


def test_consensus_teaches_and_agreement_rises(learner: Memory) -> None:
    with TeacherPool(mock_pool(QUIZ, *SECTION.mocks["agree"]), SECTION) as pool:
        consensus = teaching.consult(pool, QUIZ, rule)
    records = list(teaching.teach_rounds(learner, QUIZ, consensus, SECTION, embed))
    rounds = [record.values for record in records if record.event == "round"]
    assert [one["error"] for one in rounds] == [1.0, 0.0, 0.0, 0.0]
    assert [one["agreement"] for one in rounds] == [0.0, 1.0, 1.0, 1.0]
    assert set(rounds[0]["tasks"]) == {question.task for question in QUIZ}
    events = [record.event for record in records if record.event != "round"]
    assert events == ["taught"] * 6 + ["agreed"] * 12  # nothing is taught twice


def test_what_is_not_trusted_is_not_taught(learner: Memory) -> None:
    with TeacherPool(mock_pool(QUIZ, *SECTION.mocks["disagree"], seed=1), SECTION) as pool:
        consensus = teaching.consult(pool, QUIZ, rule)
    records = list(teaching.teach_rounds(learner, QUIZ, consensus, SECTION, embed))
    assert {record.event for record in records} == {"round", "untrusted"}
    assert learner.known == {}


def test_a_question_without_decision_is_named(learner: Memory) -> None:
    with pytest.raises(DataError, match=QUIZ[0].id):
        next(teaching.teach_rounds(learner, QUIZ, {}, SECTION, embed))


def test_a_query_tells_where_its_answer_came_from(learner: Memory) -> None:
    with TeacherPool(mock_pool(QUIZ, *SECTION.mocks["agree"]), SECTION) as pool:
        final = teaching.answer_query(QUIZ[0].question, learner=learner, pool=pool, decide=rule)
    assert "Paris" in final.text and final.source.startswith("mock")
    assert [stage.name for stage in final.provenance] == ["learner", "pool", "final"]
    assert len(final.decision.answers) >= 3  # the learner is among them


def test_the_endpoint_is_asked_only_in_doubt(learner: Memory) -> None:
    doubtful = [FixedTeacher("a", "It is red."), FixedTeacher("b", "It is green.")]
    sure = [
        FixedTeacher("c", "It is green."),
        FixedTeacher("d", "It is green."),
        FixedTeacher("e", "It is green."),
    ]
    with TeacherPool(doubtful, SECTION) as pool, TeacherPool(sure, SECTION) as endpoint:
        final = teaching.answer_query(
            "Which?", learner=learner, pool=pool, decide=rule, endpoint=endpoint
        )
        assert [stage.name for stage in final.provenance] == [
            "learner",
            "pool",
            "endpoint",
            "final",
        ]
        assert "green" in final.text
        clear = teaching.answer_query(
            "Which?", learner=learner, pool=endpoint, decide=rule, endpoint=pool
        )
        assert [stage.name for stage in clear.provenance] == ["learner", "pool", "final"]


def test_the_learner_stands_flagged_where_the_pool_abstains(learner: Memory) -> None:
    def nobody(question: str, answers: list[Answer]) -> Decision:
        return Decision("", "abstain", 0.1, 0.0, 0.0, True, "no trust")

    with TeacherPool([FixedTeacher("a", "x")], SECTION) as pool:
        final = teaching.answer_query("Which?", learner=learner, pool=pool, decide=nobody)
    assert (final.source, final.flagged, final.text) == ("learner", True, "I think it is blue.")


def test_the_learner_is_as_sure_as_its_gate(learner: Memory) -> None:
    assert teaching.learner_answer(learner, "Which?", SECTION).confidence == 0.5
    learner.known["Which?"] = "This one."
    assert teaching.learner_answer(learner, "Which?", SECTION).confidence == 0.9
