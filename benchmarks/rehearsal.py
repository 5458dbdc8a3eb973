"""A loopback server that speaks OpenAI's protocol and fails on demand: to rehearse an outage before
there is one.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np


@dataclass(frozen=True)
class Scripted:
    """One reply of the server: after ``delay_s`` seconds this status, body and headers."""

    status: int
    body: str
    delay_s: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One request the server saw; ``at`` in seconds, monotonic."""

    at: float
    model: str
    question: str
    status: int


Script = Callable[[int, str, str], Scripted]

_PROBLEM = "application/problem+json"


def _problem(status: int, title: str, detail: str = "") -> Scripted:
    body = {"type": "about:blank", "status": status, "title": title} | (
        {"detail": detail} if detail else {}
    )
    return Scripted(status, json.dumps(body), headers={"Content-Type": _PROBLEM})


FAULTS = {
    "rate_limit": _problem(429, "Too Many Requests"),
    "not_entitled": _problem(404, "Not Found", "Function '0b7c': Not found for account 'demo'"),
    "no_such_route": Scripted(404, "404 page not found", headers={"Content-Type": "text/plain"}),
    "end_of_life": _problem(
        410,
        "Gone",
        "The model 'demo/old' has reached its end of life on 2026-01-31 and is no "
        "longer available.",
    ),
    "degraded": _problem(
        400, "Bad Request", "Function id '0b7c': DEGRADED function cannot be invoked"
    ),
    "no_key": _problem(401, "Unauthorized"),
    "forbidden": _problem(403, "Forbidden"),
    "not_ready": _problem(503, "Service Unavailable"),
    "server": Scripted(
        500, "<html>Internal Server Error</html>", headers={"Content-Type": "text/html"}
    ),
    "bad_request": Scripted(
        400, json.dumps({"error": {"message": "max_tokens is too large", "code": 400}})
    ),
    "bad_reply": Scripted(200, "{}"),
}


def completion(model: str, text: str, *, delay_s: float = 0.0) -> Scripted:
    """A regular chat completion."""
    return Scripted(
        200,
        json.dumps(
            {
                "id": "rehearsal",
                "object": "chat.completion",
                "created": 0,
                "model": model,
                "choices": [
                    {
                        "index": 0,
                        "finish_reason": "stop",
                        "message": {"role": "assistant", "content": text},
                    }
                ],
                "usage": {
                    "prompt_tokens": 1,
                    "completion_tokens": len(text.split()),
                    "total_tokens": 1 + len(text.split()),
                },
            }
        ),
        delay_s,
    )


def faulty_script(
    answer: Callable[[str, str], str],
    *,
    share: float,
    stall_share: float,
    delay_s: float,
    stall_s: float,
    seed: int = 0,
) -> Script:
    """A script that answers, but makes a ``share`` of the calls a fault worth a retry or a
    fail-over, and stalls a ``stall_share`` of them. ``answer(model, question)`` gives the text.
    """
    faults = [
        FAULTS[name] for name in ("rate_limit", "not_ready", "server", "degraded", "bad_reply")
    ]

    def script(number: int, model: str, question: str) -> Scripted:
        random = np.random.default_rng((seed, number))
        draw = random.random()
        if draw < stall_share:
            return completion(model, answer(model, question), delay_s=stall_s)
        if draw < stall_share + share:
            return faults[int(random.integers(len(faults)))]
        return completion(
            model, answer(model, question), delay_s=delay_s * random.uniform(0.5, 1.5)
        )

    return script


class RehearsalServer:
    """Serves ``/v1/chat/completions`` and ``/v1/models`` on a free port of 127.0.0.1 while the
    block lasts.

    ``script(number, model, question)`` chooses the reply to the number-th call; ``calls`` is what
    was seen, ``headers`` the headers of each, names in lower case; ``seen`` takes the messages.
    """

    def __init__(
        self,
        script: Script,
        *,
        models: tuple[str, ...] = ("demo",),
        seen: list[list[dict[str, str]]] | None = None,
    ) -> None:
        self.seen = [] if seen is None else seen
        self.calls: list[Call] = []
        self.headers: list[dict[str, str]] = []
        self._lock = threading.Lock()
        self._script = script
        self._models = models
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> RehearsalServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reply(self, model: str, question: str) -> Scripted:
        """Record the call and look its reply up."""
        with self._lock:
            number, at = len(self.calls), time.monotonic()
            scripted = self._script(number, model, question)
            self.calls.append(Call(at, model, question, scripted.status))
        return scripted

    def listing(self) -> Scripted:
        """The reply to GET /v1/models."""
        return Scripted(
            200, json.dumps({"object": "list", "data": [{"id": name} for name in self._models]})
        )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gave up is part of the rehearsal."""


def _handler(server: RehearsalServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._send(
                server.listing() if self.path.endswith("/models") else FAULTS["no_such_route"]
            )

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.seen.append(request["messages"])
            server.headers.append({name.lower(): value for name, value in self.headers.items()})
            self._send(server.reply(request["model"], request["messages"][-1]["content"]))

        def _send(self, scripted: Scripted) -> None:
            time.sleep(scripted.delay_s)
            payload = scripted.body.encode()
            self.send_response(scripted.status)
            for name, value in ({"Content-Type": "application/json"} | scripted.headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: object) -> None:
            """Silent: the calls are recorded."""

    return Handler
