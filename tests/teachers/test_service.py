"""`teachers run` survives kills, half lines, bad lines, silent teachers, and never asks twice what
is written.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from fledgling.core.errors import ConfigError, DataError, RunError
from fledgling.settings import load_config
from fledgling.teachers.aggregators.decision import decide
from fledgling.teachers.answers import Answer, Decision, Query
from fledgling.teachers.decision_log import DecisionLog
from fledgling.teachers.pool import TeacherPool
from fledgling.teachers.questions import Question, QuestionFile, question_id
from fledgling.teachers.service import Progress, TeacherService

SECTION = load_config(
    overrides={
        "teachers": {
            "pool": {"deadline_s": 1.0, "quorum": 1},
            "service": {"poll_s": 0.02, "retry_unanswered_s": 0.05},
        }
    }
).teachers
DECISION = Decision("yes", "best", 0.9, 1.0, 0.9, False, "")


class Counting:
    """Remembers what it was asked; fails the first ``failures`` times."""

    name = "counting"

    def __init__(self, failures: int = 0) -> None:
        self.asked: list[str] = []
        self.failures = failures

    async def answer(self, query: Query, *, timeout: float) -> Answer:
        question = query.text
        self.asked.append(question)
        if len(self.asked) <= self.failures:
            return Answer("", self.name, error="server: down")
        return Answer(f"Answer to {question}.", self.name, 0.9)


def rule(question: str, answers: tuple[Answer, ...]) -> Decision:
    return decide(
        question, answers, SECTION, lambda texts: np.ones((len(texts), 1), dtype=np.float32)
    )


def write(path: Path, *questions: str) -> Path:
    path.write_text(
        "".join(json.dumps({"id": text, "question": text}) + "\n" for text in questions),
        encoding="utf-8",
    )
    return path


def work(teacher: Counting, questions: Path, out: Path) -> Progress:
    with TeacherPool([teacher], SECTION) as pool:
        return list(TeacherService(pool, rule, questions, out).run())[-1]


def ids(out: Path) -> list[str]:
    return [json.loads(line)["id"] for line in out.read_text(encoding="utf-8").splitlines()]


def test_every_question_gets_one_line_and_a_second_run_asks_nothing(tmp_path: Path) -> None:
    questions, out, teacher = (
        write(tmp_path / "q.jsonl", "a", "b", "c"),
        tmp_path / "new" / "out.jsonl",
        Counting(),
    )
    first = work(teacher, questions, out)
    assert (
        sorted(ids(out)) == ["a", "b", "c"]
        and first.counts.decided == 3
        and first.memory_mb > 0 < first.p50
    )
    second = work(teacher, questions, out)
    assert (second.counts.decided, second.counts.already, len(teacher.asked)) == (0, 3, 3)
    row = json.loads(out.read_text(encoding="utf-8").splitlines()[0])
    assert row["answers"][0]["model_name"] == "counting" and row["answer"].startswith("Answer to")


def test_a_half_line_is_removed_and_only_its_question_asked_again(tmp_path: Path) -> None:
    questions, out, teacher = (
        write(tmp_path / "q.jsonl", "a", "b", "c"),
        tmp_path / "out.jsonl",
        Counting(),
    )
    work(teacher, questions, out)
    kept = ids(out)
    whole = out.read_bytes()
    out.write_bytes(whole[:-30])
    again = Counting()
    work(again, questions, out)
    assert again.asked == [kept[-1]] and ids(out) == kept
    out.write_bytes(whole[:-1])  # only the line's end is missing: the answer was written
    more = Counting()
    work(more, questions, out)
    assert more.asked == [] and ids(out) == kept


def test_what_nobody_answered_is_not_lost(tmp_path: Path) -> None:
    questions, out = write(tmp_path / "q.jsonl", "a"), tmp_path / "out.jsonl"
    assert work(Counting(failures=99), questions, out).counts.unanswered == 1 and ids(out) == []
    assert work(Counting(), questions, out).counts.decided == 1 and ids(out) == ["a"]


def test_bad_lines_get_a_record_each_and_the_rest_is_answered(tmp_path: Path) -> None:
    """Half surrogate pairs and endless nesting among them: they stopped the run at their line."""
    questions, out = tmp_path / "q.jsonl", tmp_path / "out.jsonl"
    bad = [b"not json", b'{"no": 1}', b'{"question": " "}', b"\xff", b"[" * 200_000]
    bad += [b'{"question": "\\ud800"}', b'{"id": "\\ud800", "question": "c"}', b"x" * 2_000_000]
    lines = [b'\xef\xbb\xbf{"question": "a"}', *bad, b"", b'{"question": "z"}']
    questions.write_bytes(b"\n".join(lines))
    last = work(Counting(), questions, out)
    assert (last.counts.decided, last.counts.unreadable) == (2, len(bad))
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    errors = [row for row in rows if row["kind"] == "error"]
    assert len(errors) == len(bad) and all(row["reason"] for row in errors)
    answered = {row["id"] for row in rows} - {row["id"] for row in errors}
    assert answered == {question_id("a"), question_id("z")}
    again = work(Counting(), questions, out)
    assert (again.counts.decided, again.counts.unreadable) == (0, 0)
    assert again.counts.already == len(bad) + 2


def test_two_questions_with_one_id_are_both_answered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    questions, out = tmp_path / "q.jsonl", tmp_path / "out.jsonl"
    questions.write_text(
        '{"id": 1, "question": "Why?"}\n{"id": "1", "question": "How?"}\n'
        '{"id": 1, "question": "Why?"}\n',
        encoding="utf-8",
    )
    teacher = Counting()
    last = work(teacher, questions, out)
    assert sorted(teacher.asked) == ["How?", "Why?"] and last.counts.decided == 2
    assert "stands for different questions" in caplog.text
    assert work(teacher, questions, out).counts.already == 3 and len(teacher.asked) == 2


def test_a_question_that_nobody_foresaw_gets_a_record_and_the_run_goes_on(tmp_path: Path) -> None:
    def strange(question: str, answers: tuple[Answer, ...]) -> Decision:
        if question == "b":
            raise RecursionError("too deep")
        return rule(question, answers)

    questions, out = write(tmp_path / "q.jsonl", "a", "b", "c"), tmp_path / "out.jsonl"
    with TeacherPool([Counting()], SECTION) as pool:
        last = list(TeacherService(pool, strange, questions, out).run())[-1]
    assert last.counts.decided == 2 and sorted(ids(out)) == ["a", "b", "c"]
    assert "RecursionError" in out.read_text(encoding="utf-8")


class Surrogates(Counting):
    """Answers half a surrogate pair, and then itself deeply nested."""

    async def answer(self, query: Query, *, timeout: float) -> Answer:
        self.asked.append(query.text)
        return Answer("\ud800 " + "[" * 200_000, self.name, 0.9)


def test_an_answer_that_no_file_takes_is_written_all_the_same(tmp_path: Path) -> None:
    questions, out = write(tmp_path / "q.jsonl", "a", "b"), tmp_path / "out.jsonl"
    assert work(Surrogates(), questions, out).counts.decided == 2
    assert sorted(ids(out)) == ["a", "b"]
    assert len(out.read_text(encoding="utf-8")) < 200_000  # capped


def test_the_questions_file_is_never_the_output(tmp_path: Path) -> None:
    questions = write(tmp_path / "q.jsonl", "a")
    link = tmp_path / "out.jsonl"
    link.symlink_to(questions)
    with TeacherPool([Counting()], SECTION) as pool, pytest.raises(ConfigError, match="itself"):
        TeacherService(pool, rule, questions, link)


def test_watching_takes_up_new_lines_and_asks_again_what_failed(tmp_path: Path) -> None:
    questions, out, teacher = (
        write(tmp_path / "q.jsonl", "a"),
        tmp_path / "out.jsonl",
        Counting(failures=1),
    )
    stop = threading.Event()
    with TeacherPool([teacher], SECTION) as pool:
        for state in TeacherService(pool, rule, questions, out, stop=stop).run(watch=True):
            if state.counts.decided == 1 and "half" not in questions.read_text(encoding="utf-8"):
                with questions.open("a", encoding="utf-8") as lines:
                    lines.write('{"id": "b", "question": "b"}\n{"id": "half", "quest')
            if state.counts.decided == 2:
                stop.set()
    assert ids(out) == ["a", "b"] and teacher.asked == ["a", "a", "b"]
    assert state.counts.unreadable == 0  # the half line is left for later


def test_text_files_and_missing_files(tmp_path: Path) -> None:
    path = tmp_path / "q.txt"
    path.write_text("Why?\n\nHow?\n", encoding="utf-8")
    assert [
        question.text
        for question in QuestionFile(path, line_bytes=1000).read_new(whole_lines=False)
    ] == [
        "Why?",
        "How?",
    ]
    with pytest.raises(DataError, match="does not exist"):
        QuestionFile(tmp_path / "none.jsonl", line_bytes=1000)


@pytest.mark.parametrize("kind", ["same", "symlink", "hard link", "linked folder"])
def test_one_writer_at_a_time_by_whatever_name(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "folder" / "out.jsonl"
    with DecisionLog(out) as first:
        first.append(Question("a", Query("a?")), DECISION, seconds=0.1)
        other = out
        if kind == "symlink":
            other = tmp_path / "other.jsonl"
            other.symlink_to(out)
        elif kind == "hard link":
            other = tmp_path / "other.jsonl"
            other.hardlink_to(out)
        elif kind == "linked folder":
            (tmp_path / "elsewhere").symlink_to(out.parent)
            other = tmp_path / "elsewhere" / "out.jsonl"
        with pytest.raises(RunError, match="another"):
            DecisionLog(other)
    with DecisionLog(other) as second:
        assert second.done == {Question("a", Query("a?")).key}


def test_no_foreign_file_is_written_to(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    for text in ("this is my diary\n", "[" * 200_000 + "\n", '"just text"\n'):
        out.write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match="right --out file"):
            DecisionLog(out)
        assert out.read_text(encoding="utf-8") == text
    with pytest.raises(RunError, match="choose another --out"):
        DecisionLog(tmp_path)


SCRIPT = """
import json, sys, asyncio
from pathlib import Path
sys.path.insert(0, sys.argv[4])
import test_service as here
from fledgling.teachers.pool import TeacherPool
from fledgling.teachers.service import TeacherService
from fledgling.teachers.answers import Answer

class Slow:
    name = "slow"
    async def answer(self, query, *, timeout):
        with open(sys.argv[3], "a") as asked:
            asked.write(query.text + "\\n")
        await asyncio.sleep(0.02)
        return Answer("Yes, " + query.text, self.name, 0.9)

with TeacherPool([Slow()], here.SECTION) as pool:
    for state in TeacherService(pool, here.rule, Path(sys.argv[1]), Path(sys.argv[2])).run():
        pass
"""


def test_kill_dash_nine_in_the_middle_loses_and_repeats_nothing(tmp_path: Path) -> None:
    """Killed three times at different moments, then finished: one line each, nothing written was
    asked again.
    """
    names = [f"q{number}" for number in range(120)]
    questions, out, asked = (
        write(tmp_path / "q.jsonl", *names),
        tmp_path / "out.jsonl",
        tmp_path / "asked.txt",
    )
    script = tmp_path / "run.py"
    script.write_text(SCRIPT, encoding="utf-8")
    command = [
        sys.executable,
        str(script),
        str(questions),
        str(out),
        str(asked),
        str(Path(__file__).parent),
    ]
    written: set[str] = set()
    for wanted in (8, 30, 60, None):
        before = asked.read_text().split() if asked.exists() else []
        process = subprocess.Popen(command)
        if wanted is None:
            assert process.wait(timeout=120) == 0
        else:
            until = time.monotonic() + 90
            while process.poll() is None and time.monotonic() < until:
                if out.exists() and out.read_bytes().count(b"\n") >= wanted:
                    break
                time.sleep(0.005)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        fresh = asked.read_text().split()[len(before) :]
        assert not set(fresh) & written
        written = {json.loads(line)["id"] for line in out.read_bytes().split(b"\n")[:-1]}
    assert Counter(ids(out)) == Counter(names)
