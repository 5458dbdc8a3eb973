"""Lines of a questions file: a question, a blank, or a record that says what is wrong."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fledgling.core.errors import DataError
from fledgling.teachers.answers import Message, Query
from fledgling.teachers.questions import (
    Question,
    QuestionFile,
    parse_question,
    question_id,
    question_key,
)


def parse(value: object) -> Question:
    return parse_question(json.dumps(value).encode(), plain=False)


def test_a_question_its_id_and_its_known_answers() -> None:
    assert parse({"question": " Why? "}) == Question(question_id("Why?"), Query("Why?"))
    assert parse({"question": "Why?", "id": 7}).id == "7"
    assert parse({"question": "Why?", "id": None, "answer": "So."}).gold == ("So.",)
    assert parse({"question": "Why?", "answer": ["So.", "", "Thus."]}).gold == ("So.", "Thus.")
    assert parse_question(b"Why?\r\n", plain=True).text == "Why?"
    assert parse_question(b" \n", plain=False) is None


def test_a_conversation_ends_with_what_is_asked() -> None:
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "Why?"},
    ]
    query = parse({"messages": turns}).query
    assert query.text == "Why?" and query.history[-1] == Message("assistant", "Hello.")
    assert query.messages("You are kind.") == [
        {"role": "system", "content": "You are kind."},
        *turns,
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"not json", "expected"),
        (b'{"question": " "}', "the question is empty"),
        (b'{"question": 7.5}{', "trailing"),
        (b'{"question": ["a"]}', "question"),
        (b'{"id": "x"}', "the question is empty"),
        (b"[1, 2]", "dictionary"),
        (b"\xff\xfe", "decode"),
        (b'{"question": "\\ud800"}', "escape"),
        (b'{"question": "a", "id": "\\udfff"}', "surrogate"),
        (b"[" * 200_000, "recursion"),
        (b'{"messages": [{"role": "judge", "content": "x"}]}', "messages.0.role"),
        (b'{"messages": [{"role": "assistant", "content": "x"}]}', "the question is empty"),
    ],
)
def test_what_is_no_question_says_why_and_can_be_written(line: bytes, said: str) -> None:
    found = parse_question(line, plain=False)
    assert said in found.problem, found.problem
    assert found.id.startswith("line-") and len(found.text) <= 200
    json.dumps([found.id, found.text, found.problem], ensure_ascii=False).encode()
    assert parse_question(line, plain=False) == found  # the same record at the next start


def test_two_that_share_an_id_are_two() -> None:
    one, two = parse({"id": "a", "question": "Why?"}), parse({"id": "a", "question": "How?"})
    assert one.key != two.key and one.key == question_key("a", "Why?")


def test_lines_that_are_too_long_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(
        b'{"question": "a"}\n' + b"x" * 50_000 + b'\n{"question": "b"}\n' + b"y" * 5_000
    )
    source = QuestionFile(path, line_bytes=1000)
    found = list(source.read_new(whole_lines=True))
    assert [bool(question.problem) for question in found] == [False, True, False]
    assert "line_bytes" in found[1].problem
    assert len(list(source.read_new(whole_lines=False))) == 1


def test_a_file_grows_shrinks_and_begins_with_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"question": "a"}\n{"question": "b')
    source = QuestionFile(path, line_bytes=1000)
    assert [question.text for question in source.read_new(whole_lines=True)] == ["a"]
    with path.open("ab") as lines:
        lines.write(b'"}\n')
    assert [question.text for question in source.read_new(whole_lines=True)] == ["b"]
    path.write_bytes(b'{"question": "c"}\n')
    assert [question.text for question in source.read_new(whole_lines=True)] == ["c"]
    with pytest.raises(DataError, match="does not exist"):
        QuestionFile(tmp_path / "none", line_bytes=1000)


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ROW = st.dictionaries(
    st.sampled_from(["question", "id", "messages", "answer", "role", "content"]), VALUE, max_size=5
)


def is_sound(found: Question | None) -> None:
    if found is None:
        return
    assert found.text.strip() or found.problem
    assert found.key
    json.dumps([found.id, found.text, found.problem, found.gold], ensure_ascii=False).encode()


@settings(max_examples=500)
@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_make_an_exception(line: bytes, plain: bool) -> None:
    is_sound(parse_question(line, plain=plain))


@settings(max_examples=500)
@given(ROW, st.booleans())
def test_no_row_makes_an_exception(row: dict, escaped: bool) -> None:
    line = json.dumps(row, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    is_sound(parse_question(line, plain=False))
