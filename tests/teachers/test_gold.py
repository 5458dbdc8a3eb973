"""Gold answers become evidence, evidence becomes trust, and both are kept and refreshed."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fledgling.core.errors import ConfigError, DataError
from fledgling.core.layers import override
from fledgling.settings import load_config
from fledgling.teachers.answers import Answer
from fledgling.teachers.building import Members
from fledgling.teachers.desk import Desk, open_desk
from fledgling.teachers.gold import GoldBook, evidence_of
from fledgling.teachers.mock import MockTeacher, load_quiz
from fledgling.teachers.redaction import Secrets
from fledgling.teachers.service import TeacherService
from fledgling.teachers.settings import MockManner

SECTION = load_config(
    overrides={
        "teachers.pool.deadline_s": 5.0,
        "teachers.pool.quorum": 3,
        "teachers.service.poll_s": 0.02,
    }
).teachers
QUIZ = load_quiz()


def embed(texts: list[str]) -> np.ndarray:
    return np.ones((len(texts), 1), dtype=np.float32)


def crew() -> Members:
    """One that knows, two that share their errors."""
    good = MockTeacher("good", QUIZ, MockManner(accuracy=1.0))
    echo = MockManner(accuracy=0.2, correlation=1.0)
    return Members(
        (good, MockTeacher("echo_1", QUIZ, echo), MockTeacher("echo_2", QUIZ, echo)),
        (),
        (),
        Secrets(),
    )


def write_gold(path: Path, count: int, *, start: int = 0) -> Path:
    rows = [
        {"question": item.question, "answer": item.answer} for item in QUIZ[start : start + count]
    ]
    with path.open("a", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)
    return path


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    gold = write_gold(tmp_path / "gold.jsonl", 20)
    with open_desk(crew(), SECTION, embed, trust=tmp_path / "trust.json", gold=gold) as desk:
        yield desk


def test_learned_trust_is_kept_and_turns_the_decision(desk: Desk, tmp_path: Path) -> None:
    asked = list(desk.learn())
    assert len(asked) == len(desk.book) == 20 and list(desk.learn()) == []
    weights = desk.book.trust.weight_of()
    assert weights["good"] > 1 and weights["good"] > max(weights["echo_1"], weights["echo_2"])
    unseen = next(item for item in QUIZ[20:] if not desk.pool.teachers[1].is_right(item.question))
    reply = desk.pool.ask(unseen.question)
    assert unseen.answer in desk.decide(unseen.question, reply.answers).text
    with open_desk(crew(), SECTION, embed, trust=tmp_path / "trust.json") as again:
        assert again.book.trust.weight_of() == weights  # read back
        assert unseen.answer in again.decide(unseen.question, reply.answers).text
    with open_desk(crew(), SECTION, embed) as plain:
        assert unseen.answer not in plain.decide(unseen.question, reply.answers).text


def test_weights_are_refreshed_as_gold_arrives_before_or_after_its_question(
    tmp_path: Path,
) -> None:
    trust, gold, out = (tmp_path / name for name in ("trust.json", "gold.jsonl", "out.jsonl"))
    questions = tmp_path / "q.jsonl"
    write_gold(gold, 3)
    asked = [{"question": item.question} for item in QUIZ[:8]]
    asked[7]["answer"] = QUIZ[7].answer  # gold in the line itself
    questions.write_text("".join(json.dumps(row) + "\n" for row in asked), encoding="utf-8")
    seen: list[int] = []
    with open_desk(crew(), SECTION, embed, trust=trust, gold=gold) as desk:
        service = TeacherService(desk.pool, desk.decide, questions, out, gold=desk.book)
        for state in service.run(watch=True):
            seen.append(len(desk.book))
            if state.counts.decided == 8 and len(desk.book) == 4:
                write_gold(gold, 2, start=4)  # about questions that were decided long ago
            if len(desk.book) == 6:
                service._stop.set()
    assert sorted(set(seen))[-1] == 6
    kept = json.loads(trust.read_text(encoding="utf-8"))
    assert len(kept["evidence"]) == 6 and set(kept["weights"]) >= {"good", "echo_1"}


def test_a_restart_counts_no_evidence_twice(desk: Desk, tmp_path: Path) -> None:
    list(desk.learn())
    question, answers = QUIZ[0].question, desk.pool.ask(QUIZ[0].question).answers
    desk.book.learn(question, answers)
    desk.book.learn(question, answers)
    assert len(desk.book) == 20


def test_evidence_says_who_stood_together_and_who_was_right() -> None:
    said = [
        Answer("It is Lima.", "a", 0.9),
        Answer("Lima", "b", 0.9),
        Answer("Cusco", "c", 0.9),
        Answer("", "d", error="timeout"),
    ]
    found = evidence_of("What is the capital of Peru?", said, ["Lima"], SECTION, embed)
    assert found.camps == {"a": 0, "b": 0, "c": 1}
    assert found.right == {"a": True, "b": True, "c": False}


def test_trust_of_another_pool_counts_where_names_are_shared(desk: Desk, tmp_path: Path) -> None:
    list(desk.learn())
    book = GoldBook(tmp_path / "trust.json", ("good", "new"), SECTION, embed)
    weights = book.trust.weight_of()
    assert weights["good"] > 1 and weights["new"] == pytest.approx(SECTION.trust.head_start)
    strangers = GoldBook(tmp_path / "trust.json", ("x", "y"), SECTION, embed)
    assert strangers.trust is None


def test_trust_that_is_wanted_and_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="fledgling teachers learn"):
        open_desk(crew(), SECTION, embed, trust=tmp_path / "none.json")
    by_trust = override(SECTION, {"decision.choice": "trust"})
    with pytest.raises(ConfigError, match="--trust FILE"):
        open_desk(crew(), by_trust, embed)
    for text in ('{"version": 2}', '{"evidence": [1]}', "[" * 200_000, "{", '["x"]'):
        (tmp_path / "trust.json").write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match=r"trust\.json"):
            open_desk(crew(), SECTION, embed, trust=tmp_path / "trust.json")


def test_gold_lines_without_an_answer_are_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gold = tmp_path / "gold.jsonl"
    gold.write_text('{"question": "Why?"}\nnonsense\n', encoding="utf-8")
    write_gold(gold, 1)
    book = GoldBook(tmp_path / "trust.json", ("a",), SECTION, embed, gold=gold)
    assert [line.text for line in book.missing()] == [QUIZ[0].question]
    assert caplog.text.count("a gold line has no answer") == 2
