import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fledgling.core.errors import DataError
from fledgling.core.records import Feedback
from fledgling.feedback.buffer import FeedbackBuffer
from fledgling.feedback.examples import ChatExample, PreferencePair
from fledgling.feedback.exchange import Refused, read_records, write_entries
from fledgling.feedback.rows import rows_of

DOCUMENTED = [
    {
        "query": "What's 2+2?",
        "response": "4",
        "quality": 0.8,
        "is_positive": True,
        "feedback_type": "positive",
        "signals": ["follow_up", "same_topic"],
    },
    {
        "query": "What's the capital of Australia?",
        "bad_response": "Sydney",
        "correction": "Canberra",
        "quality": 0.0,
        "is_positive": False,
        "feedback_type": "negative",
        "signals": ["explicit_correction"],
    },
]


def write(path, *lines):
    path.write_bytes(
        b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    )
    return path


def read(path, limit=100_000):
    return list(read_records(path, max_record_bytes=limit))


def test_the_documented_forms_are_read_as_lines_and_as_an_array(tmp_path):
    lines = read(write(tmp_path / "lines.jsonl", *DOCUMENTED))
    array = read(write(tmp_path / "array.json", DOCUMENTED))
    assert lines == array
    good, bad = lines
    assert (good.label, good.quality, good.signals) == (
        "positive",
        0.8,
        ("follow_up", "same_topic"),
    )
    assert (bad.label, bad.reply, bad.correction) == ("correction", "Sydney", "Canberra")


def test_what_is_written_in_the_documented_form_is_read_back(tmp_path, section):
    buffer = FeedbackBuffer(":memory:", section.buffer)
    for record in read(write(tmp_path / "in.jsonl", *DOCUMENTED)):
        buffer.add(record)
    write_entries(tmp_path / "out.jsonl", buffer.entries(), "native", instruction="")
    written = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    for row, documented in zip(written, DOCUMENTED, strict=True):
        assert row | documented == row
    assert read(tmp_path / "out.jsonl") == [entry.feedback for entry in buffer.entries()]


def test_alpaca_pairs_and_chat_forms(tmp_path):
    alpaca = {"instruction": "You are kind.", "input": "Capital of France?", "output": "Paris."}
    pair = {"prompt": "2+2?", "chosen": "4", "rejected": "5"}
    chat = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]}
    one, two, three = read(write(tmp_path / "mixed.jsonl", alpaca, pair, chat))
    assert [message["role"] for message in one.messages] == ["system", "user", "assistant"]
    assert two == PreferencePair(({"role": "user", "content": "2+2?"},), "4", "5")
    assert three == ChatExample(tuple(chat["messages"]))


BROKEN = [
    (b'{"query": "x", "resp', "not valid JSON"),
    (b"\xff\xfe{}", "not UTF-8"),
    (b"[1, 2]", "a list where"),
    (b"3", "a int where"),
    ({"hello": 1}, "no known form"),
    ({}, "keys none"),
    ({"query": "x", "response": ""}, "response is missing or empty"),
    ({"query": "x", "response": 3}, "response is a int"),
    ({"query": "  ", "response": "y"}, "query is blank"),
    ({"query": "x", "response": "y", "quality": 7}, "quality 7"),
    ({"query": "x", "response": "y", "quality": True}, "quality True"),
    (b'{"query": "x", "response": "y", "quality": NaN}', "NaN"),
    ({"query": "x", "response": "y", "is_positive": False}, "contradicts"),
    ({"query": "x", "response": "y", "feedback_type": "meh"}, "feedback_type 'meh'"),
    ({"query": "x", "response": "y", "signals": [1]}, "signals"),
    ({"query": "x\x00", "response": "y"}, "NUL"),
    (b'{"query": "\\ud800", "response": "y"}', "surrogate"),
    ({"messages": []}, "neither a text nor a list"),
    ({"messages": [{"role": "root", "content": "x"}]}, "role 'root'"),
    ({"messages": [{"role": "user", "content": "x"}]}, "ends with the assistant"),
    ({"messages": ["x"]}, "a message is a str"),
    ({"prompt": "x", "chosen": "y", "rejected": "y"}, "the same"),
    ({"prompt": "x", "chosen": "y"}, "neither a text"),
    ({"instruction": "x", "output": None}, "output is missing"),
    (b'{"query": ' + b"[" * 5000 + b"]" * 5000 + b"}", "nested too deep"),
    (b'{"query": "' + b"a" * 100_001 + b'"}', "longer than 100000 bytes"),
]


@pytest.mark.parametrize(("line", "reason"), BROKEN)
def test_a_broken_record_is_named_by_its_line_and_the_rest_is_kept(tmp_path, line, reason):
    good = DOCUMENTED[0]
    first, second, third = read(write(tmp_path / "in.jsonl", good, line, good))
    assert isinstance(first, Feedback) and isinstance(third, Feedback)
    assert isinstance(second, Refused) and second.line == 2
    assert reason in second.reason


def test_nothing_in_a_record_is_executed_or_speaks_sql(tmp_path, section):
    attack = "'); DROP TABLE feedback; --"
    path = write(tmp_path / "in.jsonl", {"query": attack, "response": "__import__('os')"})
    buffer = FeedbackBuffer(":memory:", section.buffer)
    buffer.add(read(path)[0])
    assert buffer.entries()[0].feedback.prompt == attack


def test_files_that_cannot_be_read_at_all(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "missing.jsonl")
    with pytest.raises(DataError, match="not one"):
        read(write(tmp_path / "array.json", b'[{"query": "x"'))
    assert read(write(tmp_path / "empty.jsonl", b"")) == []


@given(some.binary(max_size=300))
def test_no_bytes_crash_the_reader(tmp_path_factory, data):
    path = write(tmp_path_factory.mktemp("any") / "in.jsonl", b"x\n" + data)
    assert all(isinstance(record, Refused) for record in read(path))


def test_pairs_and_chat_are_made_from_corrections_and_better_replies(tmp_path, section):
    buffer = FeedbackBuffer(":memory:", section.buffer)
    buffer.add(Feedback("correction", 0.9, "Capital?", "Sydney.", "no", correction="canberra"))
    buffer.add(Feedback("negative", 0.8, "A title?", "Bees.", "boring"), better="City Hives")
    buffer.add(Feedback("negative", 0.8, "A joke?", "No.", "meh"))
    buffer.add(Feedback("positive", 0.7, "2+2?", "4", "thanks"))
    buffer.add(Feedback("neutral", 0.9, "3+3?", "6", "and 4+4?"))
    assert write_entries(tmp_path / "p.jsonl", buffer.entries(), "pairs", instruction="") == 2
    chosen = [
        json.loads(line)["chosen"] for line in (tmp_path / "p.jsonl").read_text().splitlines()
    ]
    assert chosen == ["Canberra.", "City Hives"]
    assert write_entries(tmp_path / "c.jsonl", buffer.entries(), "chat", instruction="") == 3
    rows = rows_of(buffer.entries())
    assert (len(rows.examples), len(rows.pairs), len(rows.bad), len(rows.keys)) == (3, 2, 1, 4)
    assert rows.bad[0].messages[-1]["content"] == "No."
    assert {example.weight for example in rows.examples} == {0.9, 0.8, 0.7}


def test_an_unknown_form_is_refused(tmp_path):
    with pytest.raises(DataError, match="'csv'"):
        write_entries(tmp_path / "x", [], "csv", instruction="")
