"""A real OpenAI-compatible server on loopback: `transformers serve` with the embedded model."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fledgling.models.loading import prepare_embedded
from fledgling.settings import load_config
from fledgling.teachers.building import endpoint_teachers
from fledgling.teachers.conditions import conditions
from fledgling.teachers.pool import TeacherPool

pytestmark = [pytest.mark.server, pytest.mark.model]
COMMAND = shutil.which("transformers") or str(Path(sys.executable).with_name("transformers"))


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, str]]:
    """(base URL, model name) of a running server; stopped afterwards, whatever happened."""
    pytest.importorskip("uvicorn", reason="needs pip install 'transformers[serving]'")
    folder = str(prepare_embedded())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [COMMAND, "serve", folder, "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )
    try:
        wait_until_ready(process, f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}/v1", folder
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_ready(process: subprocess.Popen, url: str, *, seconds: float = 180) -> None:
    until = time.monotonic() + seconds
    with httpx.Client(trust_env=False) as client:
        while time.monotonic() < until:
            if process.poll() is not None:
                pytest.fail(f"transformers serve ended with {process.returncode}")
            try:
                if client.get(url, timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.5)
    pytest.fail("transformers serve was not ready in time")


def configured(base_url: str, model: str, **changes: object) -> object:
    endpoint = {
        "name": "served",
        "base_url": base_url,
        "model": model,
        "needs_key": False,
        "max_tokens": 24,
        "temperature": 0.0,
        **changes,
    }
    return load_config(
        overrides={
            "teachers": {
                "pool": {"deadline_s": 120.0},
                "local": [],
                "retry": {"call_share": 0.9},
                "endpoints": [endpoint],
            }
        }
    )


def test_the_real_server_answers_and_is_reachable(server: tuple[str, str]) -> None:
    config = configured(*server)
    assert conditions(config.teachers, config.models)[0].ready
    with TeacherPool(endpoint_teachers(config.teachers, remember=False), config.teachers) as pool:
        answer = pool.ask("What is the capital of France?").answers[0]
    assert answer.error is None, answer.error
    assert "Paris" in answer.text
    assert answer.tokens > 0 and answer.latency_ms > 0


def test_a_wrong_route_of_the_real_server_is_classified(server: tuple[str, str]) -> None:
    config = configured(server[0].replace("/v1", "/v9"), server[1])
    with TeacherPool(endpoint_teachers(config.teachers, remember=False), config.teachers) as pool:
        answer = pool.ask("Hello?").answers[0]
    assert answer.error.startswith(("no_such_route", "not_entitled"))
