"""Every error shape is blamed on the right party and retried only where that can help."""

import json
import os
from pathlib import Path

import pytest
from rehearsal import FAULTS

from fledgling.core.paths import ROOT
from fledgling.teachers.error_shapes import TeacherFault, classify, describe

# kind → (blames, retry, lasting)
MEANING = {
    "rate_limit": ("server", True, False),
    "not_entitled": ("model", False, True),
    "no_such_route": ("model", False, True),
    "end_of_life": ("model", False, True),
    "degraded": ("server", False, False),
    "no_key": ("key", False, True),
    "forbidden": ("key", False, True),
    "not_ready": ("server", True, False),
    "server": ("server", True, False),
    "bad_request": ("caller", False, False),
    "bad_reply": ("server", True, False),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_each_rehearsed_fault_is_what_its_name_says(kind: str) -> None:
    fault = classify(FAULTS[kind].status, FAULTS[kind].body)
    assert (fault.kind, fault.blames, fault.retry, fault.lasting) == (kind, *MEANING[kind])
    assert fault.trips is (fault.blames != "caller")
    assert fault.mend in str(TeacherFault(fault))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, '{"error": {"message": "Function is DEGRADED"}}', "degraded"),
        (404, "", "no_such_route"),
        (404, '{"detail": "Not found for account"}', "not_entitled"),
        (418, "teapot", "bad_request"),
        (502, "<html>", "server"),
        (504, "", "timeout"),
        (408, "", "timeout"),
        (422, '{"detail": [{"msg": "field required"}]}', "bad_request"),
        (402, "{}", "payment"),
        (500, "[1, 2]", "server"),
        (400, '{"error": "DEGRADED function"}', "degraded"),
    ],
)
def test_other_bodies(status: int, body: str, kind: str) -> None:
    assert classify(status, body).kind == kind


@pytest.mark.parametrize(
    ("header", "seconds"), [("2", 2.0), ("-1", 0.0), ("soon", None), (None, None)]
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert classify(429, "{}", retry_after=header).retry_after_s == seconds


def test_keys_that_a_server_echoes_are_taken_out() -> None:
    body = json.dumps(
        {"detail": "Authorization Bearer nvapi-SECRETsecret123 refused, sk-abcdef123456 too"}
    )
    said = describe(classify(401, body))
    assert "SECRET" not in said and "abcdef" not in said and "***" in said


SHAPES = (
    Path(os.environ.get("FLEDGLING_BENCH", ROOT.parent / "shared" / "bench"))
    / "nim_error_shapes.json"
)
EXPECTED = {
    401: "no_key",
    403: "forbidden",
    410: "end_of_life",
    429: "rate_limit",
    503: "not_ready",
    400: "degraded",
}


@pytest.mark.skipif(not SHAPES.is_file(), reason="needs the transcribed shapes")
def test_every_transcribed_shape() -> None:
    shapes = json.loads(SHAPES.read_text(encoding="utf-8"))
    assert shapes
    for shape in shapes:
        body = (
            shape.get("body_text") or json.dumps(shape["body"])
            if "body" in shape or "body_text" in shape
            else ""
        )
        wanted = EXPECTED.get(shape["status"]) or (
            "not_entitled" if "body" in shape else "no_such_route"
        )
        assert classify(shape["status"], body).kind == wanted, shape
