"""Replies of servers: whatever comes, a completion or one kind of fault."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fledgling.teachers.error_shapes import TeacherFault, classify, describe
from fledgling.teachers.replies import Completion, read_completion


def reply(**changes: object) -> dict:
    message = {"role": "assistant", "content": "Yes."}
    return {"choices": [{"index": 0, "message": message}], "usage": None} | changes


def read(value: object) -> Completion:
    return read_completion(json.dumps(value).encode())


def with_content(content: object) -> dict:
    return reply(choices=[{"message": {"content": content}}])


def with_logprobs(logprobs: object) -> dict:
    return reply(choices=[{"message": {"content": "Yes."}, "logprobs": logprobs}])


BROKEN = [
    with_content(None),
    with_content(["a list"]),
    with_content({"type": "text"}),
    with_content(7),
    with_content("  \n"),
    reply(choices="abc"),
    reply(choices=[]),
    reply(choices=[None]),
    reply(choices=[{"message": "Yes."}]),
    reply(choices=[{}]),
    {},
    [],
    None,
    "Yes.",
]


@pytest.mark.parametrize("value", BROKEN)
def test_what_holds_no_completion_is_a_bad_reply(value: object) -> None:
    with pytest.raises(TeacherFault, match="bad_reply") as error:
        read(value)
    assert error.value.fault.retry and error.value.fault.trips


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"\xff", b"[" * 200_000, b'{"choices":' * 50_000, b'{"choices": "\\ud800"}'],
)
def test_what_is_no_json_is_a_bad_reply_and_short(body: bytes) -> None:
    with pytest.raises(TeacherFault, match="bad_reply") as error:
        read_completion(body)
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("usage", ["none", None, [], {"completion_tokens": "many"}, 3, True])
def test_nonsense_beside_a_good_answer_is_left_out(usage: object) -> None:
    assert read(reply(usage=usage)) == Completion("Yes.")


@pytest.mark.parametrize(
    ("logprobs", "confidence"),
    [
        ({"content": [{"logprob": 0.0}, {"logprob": -0.6931471805599453}]}, 0.75),
        ({"content": [{"logprob": None}]}, None),
        ({"content": [{"logprob": None}, {"logprob": 0}]}, 1.0),
        ({"content": [{"logprob": 5.0}]}, 1.0),
        ({"content": [{"logprob": -(10**400)}]}, pytest.approx(0.0)),
        ({"content": "abc"}, None),
        ({"content": [7, None, []]}, None),
        ("abc", None),
        (None, None),
    ],
)
def test_confidence_is_the_mean_of_the_tokens_that_tell(
    logprobs: object, confidence: float | None
) -> None:
    assert read(with_logprobs(logprobs)).confidence == confidence


def test_infinities_and_nan_are_numbers_that_servers_write() -> None:
    said = b'{"choices":[{"message":{"content":"Yes."},"logprobs":{"content":[{"logprob":NaN},'
    found = read_completion(said + b'{"logprob":-Infinity},{"logprob":0}]}}]}')
    assert found.confidence == pytest.approx(0.5)


def test_counts_are_taken() -> None:
    found = read(reply(usage={"prompt_tokens": 12, "completion_tokens": 3}))
    assert (found.prompt_tokens, found.tokens) == (12, 3)
    assert read(reply(usage={"prompt_tokens": -1, "completion_tokens": True})) == Completion("Yes.")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["choices", "message", "content", "logprobs", "usage", "error", "detail"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "message", "content", "logprobs", "logprob", "usage", "error", "detail"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


def survives(body: bytes) -> None:
    started = time.perf_counter()
    try:
        found = read_completion(body)
        assert found.text.strip() and (found.confidence is None or 0 <= found.confidence <= 1)
    except TeacherFault as fault:
        assert fault.fault.kind == "bad_reply"
    for status in (200, 307, 400, 404, 429, 500):
        assert describe(classify(status, body.decode("utf-8", "replace")))
    assert time.perf_counter() - started < 5  # no input makes a parser run away


@settings(max_examples=500)
@given(JSON)
def test_no_json_makes_an_exception(value: object) -> None:
    survives(json.dumps(value).encode())


@settings(max_examples=400)
@given(JSON, JSON, JSON)
def test_no_almost_right_reply_makes_an_exception(
    content: object, logprobs: object, usage: object
) -> None:
    choice = {"message": {"content": content}, "logprobs": {"content": logprobs}}
    survives(json.dumps({"choices": [choice], "usage": usage}).encode())


@settings(max_examples=400)
@given(st.binary(max_size=300), st.text(max_size=20))
def test_no_bytes_make_an_exception(body: bytes, header: str) -> None:
    survives(body)
    wait = classify(429, "{}", retry_after=header).retry_after_s
    assert wait is None or 0 <= wait < float("inf")
