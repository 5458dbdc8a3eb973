"""The pool behind an OpenAI-compatible front, so that any client can ask it.

Bound to this machine: requests by another host name are refused (a web page could otherwise reach
the server by renaming it), and so is a body that is not JSON (a page may send other forms unasked).
"""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field, ValidationError
from starlette.middleware.trustedhost import TrustedHostMiddleware

from fledgling.core.errors import FledglingError
from fledgling.core.files import parse_json
from fledgling.teachers.answers import Decide, Decision, Message, Query
from fledgling.teachers.pool import Enough, TeacherPool

MODEL = "fledgling-teachers"
LOOPBACK = ("127.0.0.1", "localhost")


class Part(BaseModel):
    """A piece of a message; pictures and sound are refused."""

    type: Literal["text"]
    text: str


class Turn(BaseModel):
    """A message as clients send it."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part]

    def message(self) -> Message:
        """The same in one string; newer clients call the system's role the developer's."""
        said = self.content if isinstance(self.content, str) else _joined(self.content)
        return Message("system" if self.role == "developer" else self.role, said)


class Asked(BaseModel):
    """What of a chat completion request counts here; sampling settings are the teachers' own."""

    messages: Annotated[list[Turn], Field(min_length=1)]
    stream: bool = False

    def query(self) -> Query:
        """The last message is the question. Raises ``ValueError`` where it is not the user's."""
        *history, last = [turn.message() for turn in self.messages]
        if last.role != "user" or not last.content.strip():
            raise ValueError("the last message must be the user's, and not empty")
        return Query(last.content, tuple(history))


def create_app(
    pool: TeacherPool, decide: Decide, *, body_bytes: int, enough: Enough | None = None
) -> FastAPI:
    """The server: ``POST /v1/chat/completions``, ``GET /v1/models``, ``GET /health``."""
    app = FastAPI(title="Fledgling teachers", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK])

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": MODEL, "object": "model", "created": 0}]}

    @app.post("/v1/chat/completions")
    async def complete(request: Request) -> Response:
        if not request.headers.get("content-type", "").startswith("application/json"):
            return _refusal(415, "send application/json")
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > body_bytes:
                return _refusal(413, f"the request is longer than {body_bytes} bytes")
        try:
            asked = Asked.model_validate(parse_json(bytes(body)))
            query = asked.query()
        except (ValidationError, ValueError) as error:
            return _refusal(400, _words(error))
        try:
            reply = await asyncio.wrap_future(pool.submit(query, enough=enough))
            decision = await run_in_threadpool(decide, query.text, reply.answers)
        except FledglingError as error:
            return _refusal(500, pool.redact(str(error)), kind="server_error")
        if not reply.usable:
            return _refusal(503, pool.redact(decision.reason), kind="server_error")
        completion = _completion(decision)
        return _streamed(completion) if asked.stream else JSONResponse(completion)

    return app


def _completion(decision: Decision) -> dict[str, Any]:
    """A decision as a chat completion; what a client cannot know stands under ``fledgling``."""
    abstains = decision.kind == "abstain"
    message = {
        "role": "assistant",
        "content": f"No answer: {decision.reason}." if abstains else decision.text,
        "refusal": decision.reason if abstains else None,
    }
    used = [answer.prompt_tokens for answer in decision.answers]
    said = [answer.tokens for answer in decision.answers]
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": {
            "prompt_tokens": sum(used),
            "completion_tokens": sum(said),
            "total_tokens": sum(used) + sum(said),
        },
        "fledgling": {
            "kind": decision.kind,
            "confidence": decision.confidence,
            "agreement": decision.agreement,
            "flagged": decision.flagged,
            "reason": decision.reason,
            "answers": [asdict(answer) for answer in decision.answers],
        },
    }


def _streamed(completion: dict[str, Any]) -> Response:
    """The whole answer as one chunk: a decision is not known before all have spoken."""
    choice = completion["choices"][0]
    delta = {key: value for key, value in choice["message"].items() if value is not None}
    chunk = completion | {
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": choice["finish_reason"]}],
    }
    events = [JSONResponse(chunk).body.decode(), "[DONE]"]
    text = "".join(f"data: {event}\n\n" for event in events)
    return Response(text, media_type="text/event-stream")


def _joined(parts: list[Part]) -> str:
    return "\n".join(part.text for part in parts)


def _refusal(status: int, message: str, *, kind: str = "invalid_request_error") -> JSONResponse:
    error = {"message": message, "type": kind, "code": status}
    return JSONResponse({"error": error}, status_code=status)


def _words(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
