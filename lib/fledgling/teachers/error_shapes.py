"""What a server's error means: whose fault it is, whether to try again, whether to leave the model
alone.

NVIDIA NIM answers in several shapes: problem JSON, OpenAI's ``{"error": …}``, plain text; some
faults of the server come under a 4xx status. The status alone is therefore not enough.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

import openai

from fledgling.core.errors import FledglingError

_LONGEST_DETAIL = 300  # characters; a server may answer with a whole web page
_SECRET = re.compile(r"\b(?:nvapi|sk|hf|gsk)[-_][\w-]{6,}|(?i:bearer)\s+\S+")


@dataclass(frozen=True)
class Fault:
    """``blames`` is server, model, key or caller. ``retry``: worth asking this model again, now.
    ``lasting``: this model will not answer in this process any more. ``mend`` tells the person what
    to do.
    """

    kind: str
    blames: str
    retry: bool
    lasting: bool
    mend: str
    detail: str = ""
    retry_after_s: float | None = None

    @property
    def trips(self) -> bool:
        """Whether the breaker counts it: a wrong request of ours says nothing about the model's
        health.
        """
        return self.blames != "caller"


RATE_LIMIT = Fault("rate_limit", "server", True, False, "lower requests_per_minute")
NOT_READY = Fault("not_ready", "server", True, False, "the server is starting or overloaded; wait")
SERVER = Fault("server", "server", True, False, "the server failed; another teacher takes over")
DEGRADED = Fault(
    "degraded",
    "server",
    False,
    False,
    "the hosted function is degraded; another teacher takes over",
)
TIMEOUT = Fault("timeout", "server", True, False, "raise deadline_s or choose a faster model")
CONNECTION = Fault("connection", "server", True, False, "check base_url and that the server runs")
BAD_REPLY = Fault("bad_reply", "server", True, False, "the server answered without a completion")
END_OF_LIFE = Fault(
    "end_of_life", "model", False, True, "choose another model: this one is retired"
)
NOT_ENTITLED = Fault(
    "not_entitled",
    "model",
    False,
    True,
    "the model is gone or this key may not use it; choose another or request access",
)
NO_SUCH_ROUTE = Fault(
    "no_such_route", "model", False, True, "check base_url (it ends in /v1) and the model's name"
)
NO_KEY = Fault(
    "no_key",
    "key",
    False,
    True,
    "set the environment variable named in key_variable to a valid key",
)
FORBIDDEN = Fault(
    "forbidden",
    "key",
    False,
    True,
    "this key may not use the model; request access or change the key",
)
PAYMENT = Fault("payment", "key", False, True, "the account has no credit left")
BAD_REQUEST = Fault(
    "bad_request", "caller", False, False, "the request is wrong; shorten the question or mend it"
)

_BY_STATUS = {
    401: NO_KEY,
    402: PAYMENT,
    403: FORBIDDEN,
    404: NO_SUCH_ROUTE,
    408: TIMEOUT,
    410: END_OF_LIFE,
    425: NOT_READY,
    429: RATE_LIMIT,
    503: NOT_READY,
    504: TIMEOUT,
}


class TeacherFault(FledglingError):
    """A classified failure of one call; caught by the teacher, never by the reader."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(describe(fault))
        self.fault = fault


def describe(fault: Fault) -> str:
    """``kind: what the server said (how to mend it)``."""
    return f"{fault.kind}: {fault.detail or 'no detail given'} ({fault.mend})"


def classify(status: int, body: str, *, retry_after: str | None = None) -> Fault:
    """Status and body text → fault. Secrets that a server echoes are taken out of the detail.

    >>> classify(400, '{"detail": "Function id 1: DEGRADED function cannot be invoked"}').blames
    'server'
    """
    said = _parsed(body)
    detail = redact(_detail(said))
    fault = _BY_STATUS.get(status, SERVER if status >= 500 else BAD_REQUEST)
    if "degraded" in detail.casefold() and status < 500:
        fault = DEGRADED
    elif status == 404 and isinstance(said, dict):
        # a missing route answers in plain text; a problem in JSON is about the model
        fault = NOT_ENTITLED
    elif status == 200:
        fault = BAD_REPLY
    shown = f"HTTP {status}, {detail}" if detail else f"HTTP {status}"
    return replace(fault, detail=shown, retry_after_s=_seconds(retry_after))


def classify_exception(error: openai.APIError) -> Fault:
    """What the ``openai`` client raised → fault."""
    if isinstance(error, openai.APIStatusError):
        response = error.response
        return classify(
            response.status_code, response.text, retry_after=response.headers.get("retry-after")
        )
    if isinstance(error, openai.APITimeoutError):
        return replace(TIMEOUT, detail="no reply in time")
    if isinstance(error, openai.APIConnectionError):
        return replace(CONNECTION, detail=redact(str(error.__cause__ or error)))
    return replace(BAD_REPLY, detail=redact(str(error)))


def redact(text: str) -> str:
    """The text without anything that looks like a key.

    >>> redact("key nvapi-abcDEF123456 is not valid")
    'key *** is not valid'
    """
    return _SECRET.sub("***", text)


def _parsed(body: str) -> Any:
    """The body as JSON, else as one line of text."""
    try:
        return json.loads(body)
    except json.JSONDecodeError:
        return " ".join(body.split())


def _detail(said: Any) -> str:
    """What of a body says what happened, in whichever shape it came."""
    if isinstance(said, dict):
        said = said.get("error") or said
    if isinstance(said, dict):
        said = said.get("detail") or said.get("message") or said.get("title") or ""
    return (said if isinstance(said, str) else json.dumps(said))[:_LONGEST_DETAIL]


def _seconds(retry_after: str | None) -> float | None:
    """The Retry-After header in seconds; dates and nonsense count as absent."""
    try:
        return max(0.0, float(retry_after)) if retry_after is not None else None
    except ValueError:
        return None
