"""The pool: quorum, deadline, reserves, hedging, and teachers that break."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from fledgling.core.errors import ConfigError, DataError
from fledgling.settings import load_config
from fledgling.teachers.answers import Answer, Query
from fledgling.teachers.mock import (
    FixedTeacher,
    MockTeacher,
    load_quiz,
    mock_pool,
)
from fledgling.teachers.pool import TeacherPool
from fledgling.teachers.settings import MockManner

QUIZ = load_quiz()
SECTION = load_config().teachers


def section(**changes: object) -> object:
    pool = SECTION.pool.model_copy(update={"deadline_s": 2.0, **changes})
    return SECTION.model_copy(update={"pool": pool})


class Slow:
    """Answers after ``seconds``, or raises."""

    def __init__(self, name: str, seconds: float, error: Exception | None = None) -> None:
        self.name, self.seconds, self.error, self.asked = name, seconds, error, 0

    async def answer(self, query: Query, *, timeout: float) -> Answer:
        self.asked += 1
        await asyncio.sleep(self.seconds)
        if self.error:
            raise self.error
        return Answer("yes", self.name, latency_ms=self.seconds * 1000)


def test_it_stops_at_the_quorum_and_names_the_late() -> None:
    with TeacherPool([Slow("a", 0.05), Slow("b", 0.1), Slow("c", 1.5)], section(quorum=2)) as pool:
        reply = pool.ask("?")
    assert [answer.model_name for answer in reply.usable] == ["a", "b"]
    assert reply.late == ("c",)
    assert reply.seconds < 0.5


def test_it_waits_for_more_where_the_quorum_is_not_enough() -> None:
    teachers = [Slow("a", 0.01), Slow("b", 0.02), Slow("c", 0.2)]
    with TeacherPool(teachers, section(quorum=2)) as pool:
        reply = pool.ask("?", enough=lambda answers: len(answers) == 3)
    assert len(reply.usable) == 3


def test_the_deadline_holds_with_what_there_is() -> None:
    with TeacherPool(
        [Slow("a", 0.01), Slow("b", 9), Slow("c", 9)], section(deadline_s=0.3)
    ) as pool:
        reply = pool.ask("?")
    assert len(reply.usable) == 1 and set(reply.late) == {"b", "c"}
    assert 0.29 <= reply.seconds < 0.6


def test_a_reserve_replaces_a_failure_and_an_exception_is_only_an_answer() -> None:
    broken = Slow("a", 0.0, ValueError("boom"))
    with TeacherPool(
        [broken, Slow("b", 0.02), Slow("c", 0.05)], section(max_teachers=2, quorum=2)
    ) as pool:
        reply = pool.ask("?")
    assert [answer.model_name for answer in reply.usable] == ["b", "c"]
    assert reply.answers[0].error == "ValueError: boom"


def test_reserves_rest_while_nobody_fails() -> None:
    reserve = Slow("c", 0.0)
    with TeacherPool(
        [Slow("a", 0.01), Slow("b", 0.01), reserve], section(max_teachers=2, quorum=2)
    ) as pool:
        pool.ask("?")
    assert reserve.asked == 0


def test_hedging_calls_a_reserve_for_a_silent_teacher() -> None:
    teachers = [Slow("a", 0.01), Slow("b", 9), Slow("c", 0.01)]
    with TeacherPool(teachers, section(max_teachers=2, quorum=2, reserve_after=0.05)) as pool:
        reply = pool.ask("?")
    assert {answer.model_name for answer in reply.usable} == {"a", "c"} and reply.seconds < 1


class Broken(Slow):
    """Answers at once that it cannot."""

    async def answer(self, query: Query, *, timeout: float) -> Answer:
        self.asked += 1
        return Answer("", self.name, error="server: down")


def test_three_silent_teachers_leave_the_answer_to_their_stand_ins_in_time() -> None:
    silent = [Slow(name, 60) for name in "abc"]
    personas = [Slow("p", 0.01), Slow("q", 0.02)]
    with TeacherPool(silent, section(deadline_s=1.0), stand_ins=personas) as pool:
        reply = pool.ask("?")
    assert [answer.model_name for answer in reply.usable] == ["p", "q"]
    assert reply.seconds <= 1.05 and set(reply.late) == set("abc")


def test_stand_ins_speak_at_once_where_every_teacher_failed() -> None:
    broken, persona = [Broken("a", 0), Broken("b", 0)], Slow("p", 0.01)
    with TeacherPool(broken, section(deadline_s=30.0), stand_ins=[persona]) as pool:
        reply = pool.ask("?")
    assert [answer.model_name for answer in reply.usable] == ["p"] and reply.seconds < 5
    assert {answer.model_name for answer in reply.answers if answer.error} == {"a", "b"}


def test_stand_ins_never_outvote_a_teacher_that_spoke() -> None:
    """One endpoint that answers, one that stalls, two personas that would agree with each other."""
    persona, other = Slow("p", 0.0), Slow("q", 0.0)
    teachers = [Slow("a", 0.7), Slow("b", 60)]
    with TeacherPool(teachers, section(deadline_s=1.2), stand_ins=[persona, other]) as pool:
        reply = pool.ask("?")
    assert [answer.model_name for answer in reply.answers] == ["a"]
    quick = section(deadline_s=20.0)
    with TeacherPool([Slow("a", 0.01)], quick, stand_ins=[persona, other]) as pool:
        asked = persona.asked
        reply = pool.ask("?")
    assert [answer.model_name for answer in reply.answers] == ["a"] and persona.asked == asked


def test_a_quorum_before_the_reserves_are_due_ends_the_round() -> None:
    teachers = [Slow("a", 0.01), Slow("b", 0.01), Slow("c", 60)]
    with TeacherPool(teachers, section(deadline_s=20.0)) as pool:
        assert pool.ask("?").seconds < 5


def test_half_a_surrogate_and_three_megabytes_are_made_readable() -> None:
    class Odd(Slow):
        async def answer(self, query: Query, *, timeout: float) -> Answer:
            return Answer("\ud800" + "x" * 3_000_000, self.name, 7.0)

    with TeacherPool([Odd("a", 0)], section(answer_chars=1000)) as pool:
        (answer,) = pool.ask("?").answers
    assert answer.text == "?" + "x" * 999 and answer.confidence == 1.0
    answer.text.encode()


def test_many_questions_come_back_in_order_and_side_by_side() -> None:
    teachers = [Slow(name, 0.1) for name in "abc"]
    with TeacherPool(teachers, section(concurrency=5)) as pool:
        started = time.monotonic()
        replies = list(pool.ask_many([str(number) for number in range(10)]))
    assert [reply.question for reply in replies] == [str(number) for number in range(10)]
    assert time.monotonic() - started < 0.8


def test_closing_twice_and_closing_with_calls_open_is_fine() -> None:
    pool = TeacherPool([Slow("a", 30)], section(deadline_s=60.0))
    pool.submit("?")
    started = time.monotonic()
    pool.close()
    pool.close()
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("teachers", [[], [Slow("a", 0), Slow("a", 0)]])
def test_a_pool_needs_differing_teachers(teachers: list[Slow]) -> None:
    with pytest.raises(ConfigError, match="different names"):
        TeacherPool(teachers, SECTION)


def test_mocks_are_as_right_and_as_correlated_as_asked() -> None:
    independent = mock_pool(QUIZ, MockManner(accuracy=0.7), size=20, seed=3)
    right = [[teacher.is_right(question.question) for question in QUIZ] for teacher in independent]
    assert abs(sum(map(sum, right)) / 1200 - 0.7) < 0.05
    together = mock_pool(QUIZ, *SECTION.mocks["biased"], seed=3)
    assert all(
        len({teacher.is_right(question.question) for teacher in together}) == 1 for question in QUIZ
    )
    wrong = [question for question in QUIZ if not together[0].is_right(question.question)]
    assert wrong and all(
        question.wrong[0] in teacher.say(question.question).text
        for question in wrong
        for teacher in together
    )


def test_mocks_repeat_themselves_whatever_the_order() -> None:
    first, second = (
        MockTeacher("m", QUIZ, MockManner(), seed=5),
        MockTeacher("m", QUIZ, MockManner(), seed=5),
    )
    forwards = [first.say(question.question) for question in QUIZ]
    backwards = [second.say(question.question) for question in reversed(QUIZ)]
    assert forwards == backwards[::-1]
    assert MockTeacher("m", QUIZ, MockManner()).say("What is love?").text == "I do not know."


def test_mocks_fail_on_the_same_calls_whatever_the_order() -> None:
    async def failures(order: Sequence[str]) -> dict[str, list[bool]]:
        mock = MockTeacher("m", QUIZ, MockManner(failing=0.5, latency_s=1e-4), seed=5)
        failed: dict[str, list[bool]] = {}
        for text in order:
            answer = await mock.answer(Query(text), timeout=1.0)
            failed.setdefault(text, []).append(bool(answer.error))
        return failed

    texts = [question.question for question in QUIZ[:12]]
    forwards = asyncio.run(failures([*texts, *texts]))
    assert forwards == asyncio.run(failures([text for text in texts[::-1] for _ in range(2)]))
    assert len({tuple(calls) for calls in forwards.values()}) > 2


def test_stalling_mocks_leave_the_pool_answering() -> None:
    with TeacherPool(
        mock_pool(QUIZ, *SECTION.mocks["stalling"]), section(deadline_s=0.5, concurrency=20)
    ) as pool:
        replies = list(pool.ask_many([question.question for question in QUIZ]))
    assert sum(bool(reply.usable) for reply in replies) >= 55
    assert max(reply.seconds for reply in replies) < 0.9


def test_the_quiz_is_sound(tmp_path: Path) -> None:
    assert len({question.id for question in QUIZ}) == len(QUIZ) == 60
    assert all("{}" in question.sentence and question.task for question in QUIZ)
    assert all(question.answer not in question.wrong for question in QUIZ)
    broken = tmp_path / "quiz.jsonl"
    broken.write_text('{"id": "x", "question": "?"}\n', encoding="utf-8")
    with pytest.raises(DataError, match="line 1"):
        load_quiz(broken)
    with pytest.raises(ConfigError, match=r"mocks\.agree\.0\.accuracy = 1\.2"):
        load_config(overrides={"teachers.mocks.agree": [{"accuracy": 1.2}]})


def test_a_fixed_teacher_says_its_line() -> None:
    teachers = [FixedTeacher("a", "x"), *mock_pool(QUIZ, MockManner(accuracy=1.0), size=2)]
    with TeacherPool(teachers, section(quorum=3)) as pool:
        assert "x" in [answer.text for answer in pool.ask(QUIZ[0].question).answers]
