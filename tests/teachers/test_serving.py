"""The OpenAI-compatible front: by its protocol, by the official client, and by hostile hands."""

import json
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import uvicorn
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fledgling.core.layers import override
from fledgling.settings import load_config
from fledgling.teachers.aggregators.decision import decide
from fledgling.teachers.answers import Answer, Decision, Query
from fledgling.teachers.mock import FixedTeacher
from fledgling.teachers.pool import TeacherPool
from fledgling.teachers.serving import MODEL, create_app

SECTION = override(load_config().teachers, {"pool.deadline_s": 5.0})
ASK = {"model": MODEL, "messages": [{"role": "user", "content": "What is the capital of Peru?"}]}


class Attentive(FixedTeacher):
    """Keeps the last query."""

    query = Query("")

    async def answer(self, query: Query, *, timeout: float) -> Answer:
        self.query = query
        return await super().answer(query, timeout=timeout)


class Down:
    name = "down"

    async def answer(self, query: Query, *, timeout: float) -> Answer:
        return Answer("", self.name, error="server: down")


def rule(question: str, answers: list[Answer]) -> Decision:
    return decide(question, answers, SECTION, lambda texts: np.ones((len(texts), 1)))


@pytest.fixture(scope="module")
def pool() -> Iterator[TeacherPool]:
    teachers = [Attentive("a", "It is Lima."), FixedTeacher("b", "Lima"), FixedTeacher("c", "Lima")]
    with TeacherPool(teachers, SECTION) as pool:
        yield pool


@pytest.fixture(scope="module")
def client(pool: TeacherPool) -> TestClient:
    app = create_app(pool, rule, body_bytes=10_000)
    return TestClient(app, base_url="http://127.0.0.1:8765")


def test_a_completion_in_the_protocols_own_form(client: TestClient, pool: TeacherPool) -> None:
    reply = client.post("/v1/chat/completions", json=ASK)
    body = reply.json()
    assert reply.status_code == 200 and body["object"] == "chat.completion"
    assert "Lima" in body["choices"][0]["message"]["content"]
    assert body["usage"]["total_tokens"] > 0
    assert body["fledgling"]["kind"] == "best" and len(body["fledgling"]["answers"]) >= 2
    assert client.get("/v1/models").json()["data"][0]["id"] == MODEL
    assert client.get("/health").status_code == 200


def test_a_stream_is_one_chunk_and_an_end(client: TestClient) -> None:
    reply = client.post("/v1/chat/completions", json=ASK | {"stream": True})
    assert reply.headers["content-type"].startswith("text/event-stream")
    events = [line.removeprefix("data: ") for line in reply.text.split("\n\n") if line]
    assert len(events) == 2 and events[1] == "[DONE]"
    chunk = json.loads(events[0])
    assert chunk["object"] == "chat.completion.chunk"
    assert "Lima" in chunk["choices"][0]["delta"]["content"]


def test_several_turns_and_parts_reach_the_teachers(client: TestClient, pool: TeacherPool) -> None:
    turns = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "Why?"},
    ]
    assert client.post("/v1/chat/completions", json={"messages": turns}).status_code == 200
    query = pool.teachers[0].query
    assert query.text == "Why?"
    assert [turn.role for turn in query.history] == ["system", "user", "assistant"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": []},
        {"messages": "Why?"},
        {"messages": [{"role": "user", "content": " "}]},
        {"messages": [{"role": "judge", "content": "x"}]},
        {"messages": [{"role": "assistant", "content": "x"}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]},
    ],
)
def test_what_is_no_request_is_refused_in_words(client: TestClient, body: dict) -> None:
    reply = client.post("/v1/chat/completions", json=body)
    assert reply.status_code == 400 and reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (json.dumps(ASK).encode(), "text/plain", 415),
        (b"[" * 9_000, "application/json", 400),
        (b'{"messages": [{"role": "user", "content": "\\ud800"}]}', "application/json", 400),
        (b"x" * 20_000, "application/json", 413),
    ],
)
def test_hostile_requests_are_refused(
    client: TestClient, content: bytes, kind: str, status: int
) -> None:
    headers = {"content-type": kind}
    reply = client.post("/v1/chat/completions", content=content, headers=headers)
    assert reply.status_code == status and reply.json()["error"]["message"]


def test_a_page_under_another_name_does_not_reach_the_server(client: TestClient) -> None:
    assert client.get("/health", headers={"host": "evil.example"}).status_code == 400


def test_silence_is_an_error_and_abstention_a_refusal() -> None:
    def unsure(question: str, answers: list[Answer]) -> Decision:
        return Decision("", "abstain", 0.1, 0.0, 0.0, True, "nobody is trusted", answers=answers)

    with TeacherPool([Down()], SECTION) as pool:
        app = create_app(pool, rule, body_bytes=10_000)
        silent = TestClient(app, base_url="http://127.0.0.1").post("/v1/chat/completions", json=ASK)
    assert silent.status_code == 503 and "down" in silent.json()["error"]["message"]
    with TeacherPool([FixedTeacher("a", "x")], SECTION) as pool:
        app = create_app(pool, unsure, body_bytes=10_000)
        reply = TestClient(app, base_url="http://127.0.0.1").post("/v1/chat/completions", json=ASK)
    message = reply.json()["choices"][0]["message"]
    assert message["refusal"] == "nobody is trusted" and "nobody is trusted" in message["content"]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_no_body_makes_an_exception(client: TestClient, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    reply = client.post("/v1/chat/completions", content=body, headers=headers)
    assert reply.status_code in (200, 400)


@pytest.mark.server
def test_the_official_client_asks_the_pool(pool: TeacherPool) -> None:
    openai = pytest.importorskip("openai")
    app = create_app(pool, rule, body_bytes=10_000)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        client = openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none")
        answer = client.chat.completions.create(model=MODEL, messages=ASK["messages"])
        assert "Lima" in answer.choices[0].message.content
        stream = client.chat.completions.create(model=MODEL, messages=ASK["messages"], stream=True)
        assert "Lima" in "".join(chunk.choices[0].delta.content or "" for chunk in stream)
        assert [model.id for model in client.models.list()] == [MODEL]
    finally:
        server.should_exit = True
        thread.join(timeout=20)
