import json

import pytest

from fledgling.auto_learning.chat import chat, check_hosted, write_hosted
from fledgling.core.errors import DataError
from fledgling.core.layers import override


def test_what_is_written_is_read_back_as_it_was(tmp_path, section):
    examples = [chat("Wo ist mein Päckchen?", "delivery", "Sort."), chat('Hello\n"you"', "hi")]
    path = tmp_path / "train.jsonl"
    size = write_hosted(path, examples, section.hosted, section.readiness)
    assert size == path.stat().st_size
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [tuple(line["messages"]) for line in lines] == [one.messages for one in examples]
    assert check_hosted(path, section.hosted, section.readiness) == 2


def turns(*roles):
    return {"messages": [{"role": role, "content": "word"} for role in roles]}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (turns("user", "user"), "in turn"),
        (turns("user", "assistant", "user"), "in turn"),
        (turns("assistant", "user"), "in turn"),
        (turns("user", "system", "assistant"), "in turn"),
        (turns("system", "user"), "in turn"),
        (turns("user", "tool"), "messages.1.role"),
        ({"messages": []}, "messages"),
        ({"prompt": "old form", "completion": "x"}, "messages"),
        (
            {"messages": [{"role": "user", "content": ""}, {"role": "assistant", "content": "x"}]},
            "content",
        ),
        (
            {"messages": [{"role": "user", "content": " "}, {"role": "assistant", "content": "x"}]},
            "no words",
        ),
        (
            {"messages": [{"role": "user", "content": 3}, {"role": "assistant", "content": "x"}]},
            "content",
        ),
        ({**turns("user", "assistant"), "weight": 1}, "weight"),
    ],
)
def test_what_a_service_would_refuse_is_named_by_line(tmp_path, section, line, message):
    path = tmp_path / "train.jsonl"
    path.write_text(json.dumps(turns("user", "assistant")) + "\n" + json.dumps(line) + "\n")
    with pytest.raises(DataError, match="line 2") as caught:
        check_hosted(path, section.hosted, section.readiness)
    assert message in str(caught.value)


def test_too_long_too_big_and_empty_files_are_refused(tmp_path, section):
    path = tmp_path / "train.jsonl"
    short = override(section.hosted, {"example_tokens": 5})
    with pytest.raises(DataError, match="about 50 tokens"):
        write_hosted(path, [chat("x" * 196, "word")], short, section.readiness)
    small = override(section.hosted, {"file_bytes": 50})
    with pytest.raises(DataError, match="bytes"):
        write_hosted(path, [chat("Hello", "word")], small, section.readiness)
    path.write_text("")
    with pytest.raises(DataError, match="no conversation"):
        check_hosted(path, section.hosted, section.readiness)
