"""What a server's error means: whose fault it is, whether to try again, whether to leave the model
alone.

NVIDIA NIM answers in several shapes: problem JSON, OpenAI's ``{"error": …}``, plain text; some
faults of the server come under a 4xx status. The status alone is therefore not enough.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import Any

from fledgling.core.errors import FledglingError
from fledgling.core.files import parse_json
from fledgling.teachers.redaction import Secrets

SHAPES_ALONE = Secrets()  # knows no key of ours: takes out what looks like one
_LONGEST_DETAIL = 300  # characters; a server may answer with a whole web page


@dataclass(frozen=True)
class Fault:
    """``blames`` is server, model, key or caller. ``retry``: worth asking this model again, now.
    ``lasting``: asking again soon is pointless. ``billed``: the call may have cost tokens all the
    same. ``mend`` tells the person what to do.
    """

    kind: str
    blames: str
    retry: bool
    lasting: bool
    mend: str
    detail: str = ""
    retry_after_s: float | None = None
    billed: bool = True

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
# retried like a failure: the same server usually answers properly the next time
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
BUDGET = Fault(
    "budget", "caller", False, False, "raise teachers.spending, or wait for tomorrow (UTC)"
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


def classify(
    status: int, body: str, *, retry_after: str | None = None, redact: Secrets = SHAPES_ALONE
) -> Fault:
    """Status and body text → fault. Keys that a server echoes are taken out of the detail.

    >>> classify(400, '{"detail": "Function id 1: DEGRADED function cannot be invoked"}').blames
    'server'
    """
    said = _parsed(body)
    # redacted before it is cut: half a key is still half a key
    detail = redact(_detail(said))[:_LONGEST_DETAIL]
    fault = _BY_STATUS.get(status, SERVER if status >= 500 else BAD_REQUEST)
    if status < 300:
        fault = BAD_REPLY
    elif status < 400:
        fault = NO_SUCH_ROUTE  # not followed: a key must not travel where it was not sent
    elif "degraded" in detail.casefold() and status < 500:
        fault = DEGRADED
    elif status == 404 and isinstance(said, dict):
        # a missing route answers in plain text; a problem in JSON is about the model
        fault = NOT_ENTITLED
    shown = f"HTTP {status}, {detail}" if detail else f"HTTP {status}"
    wait = _seconds(retry_after)
    return replace(fault, detail=shown, retry_after_s=wait, billed=status < 300)


def _parsed(body: str) -> Any:
    """The body as JSON, else as one line of text."""
    try:
        return parse_json(body)
    except ValueError:
        return " ".join(body.split())


def _detail(said: Any) -> str:
    """What of a body says what happened, in whichever shape it came."""
    if isinstance(said, dict):
        said = said.get("error") or said
    if isinstance(said, dict):
        said = said.get("detail") or said.get("message") or said.get("title") or ""
    return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)


def _seconds(retry_after: str | None) -> float | None:
    """The Retry-After header in seconds; dates and nonsense count as absent."""
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
