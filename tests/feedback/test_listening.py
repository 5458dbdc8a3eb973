import json

import pytest

from fledgling.feedback.buffer import FeedbackBuffer
from fledgling.feedback.judging.judge import Judge
from fledgling.feedback.listening import Listener, hear_all
from fledgling.models.loading import load_embedder


@pytest.fixture(scope="module")
def judge(section, language):
    return Judge(load_embedder(), section.signals, language)


@pytest.fixture
def buffer(section):
    buffer = FeedbackBuffer(":memory:", section.buffer)
    yield buffer
    buffer.close()


def test_a_turn_judges_the_reply_before_it(judge, buffer):
    listener = Listener(judge, buffer)
    assert listener.hear("What is the capital of Australia?", "It is Sydney.") is None
    said = listener.hear("No, it's Canberra.", "Right, it is Canberra.")
    assert said.label == "correction" and said.correction == "Canberra"
    assert listener.react("perfect, thank you!").label == "positive"
    first, second = buffer.entries()
    assert first.better == "Right, it is Canberra." and second.history[0]["role"] == "user"


def test_leaving_says_nothing(judge, buffer):
    listener = Listener(judge, buffer)
    assert listener.react("hello") is None
    listener.hear("Where is Oslo?", "In Norway.")
    assert listener.react(None).label == "neutral"


def conversation(*texts):
    roles = ("user", "assistant")
    return [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]


def test_conversations_are_read_from_a_file_broken_ones_named(judge, buffer, tmp_path):
    path = tmp_path / "chats.jsonl"
    rows = [
        {"messages": conversation("Where is Oslo?", "In Norway.", "thanks, perfect")},
        {"messages": "nonsense " * 3, "note": "a text counts as one user turn"},
        {"messages": [{"role": "robot", "content": "x"}]},
        {
            "messages": conversation(
                "Boil eggs how long?", "An hour.", "that's wrong", "Six minutes."
            )
        },
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    heard, refused = hear_all(judge, buffer, path)
    assert heard == 3 and [one.line for one in refused] == [3]
    assert "robot" in refused[0].reason
    assert buffer.counters().positive == 1 and buffer.counters().negative >= 1
