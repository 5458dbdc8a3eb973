import socket
import sqlite3
import subprocess
import sys

import httpx
import pytest

from fledgling.core.records import Feedback
from fledgling.feedback.buffer import FeedbackBuffer
from fledgling.memory.corrections import CorrectionMemory
from fledgling.models.tiny import WordEmbedder
from fledgling.settings import load_config


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("served") / "store.sqlite"
    config = load_config()
    buffer = FeedbackBuffer(path, config.feedback.buffer)
    for number, label in enumerate(("positive", "positive", "negative", "correction")):
        buffer.add(Feedback(label, 0.9, f"q{number}?", "reply", "no", correction="x"))
    buffer.mark_trained([entry.id for entry in buffer.entries()[:1]], "adapter-0001")
    buffer.close()
    memory = CorrectionMemory(path, WordEmbedder(), config.memory.corrections)
    memory.store("Who wrote Faust?", "Goethe")
    memory.close()
    return path


@pytest.fixture(scope="module")
def server(store):
    """A real server, started as a user would."""
    command = [sys.executable, "-m", "fledgling", "serve", str(store), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    url = process.stdout.readline().strip().removesuffix("/introspect")
    yield httpx.Client(base_url=url, timeout=30.0, trust_env=False)
    process.terminate()
    process.wait(30)


def test_it_shows_what_the_store_holds(server):
    state = server.get("/introspect").json()
    assert state["qlora"]["buffer_size"] == 4 and state["qlora"]["positive_examples"] == 2
    assert state["qlora"]["negative_examples"] == 2 and state["qlora"]["total_trained"] == 1
    assert state["qlora"]["corrections_pending"] == 1 and state["qlora"]["last_training"]
    assert state["tiers"] == {"live": 1, "consolidated": 0, "superseded": 0}
    assert state["facts"] == {"remembered": 0, "trained": 0}


def test_health_metrics_and_the_description(server):
    assert server.get("/health").json()["status"] == "ok"
    assert "fledgling_qlora_buffer_size 4\n" in server.get("/metrics").text
    paths = server.get("/openapi.json").json()["paths"]
    assert set(paths) == {"/introspect", "/health", "/metrics"}
    page = server.get("/docs").text
    assert "/introspect" in page and "<script" not in page and "https://" not in page


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(server, method):
    assert server.request(method, "/introspect").status_code == 405


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "0.0.0.0"])
def test_another_host_header_is_refused(server, host):
    assert server.get("/introspect", headers={"Host": host}).status_code == 400


def test_it_listens_on_this_machine_alone(server):
    port = server.base_url.port
    outside = socket.gethostbyname(socket.gethostname())
    if not outside.startswith("127."):
        with socket.socket() as probe:
            probe.settimeout(2.0)
            assert probe.connect_ex((outside, port)) != 0


def test_looking_changes_nothing_and_a_broken_store_is_said(server, store):
    with sqlite3.connect(store) as connection:
        before = list(connection.iterdump())
    server.get("/introspect")
    with sqlite3.connect(store) as connection:
        assert list(connection.iterdump()) == before


def test_a_missing_store_and_a_taken_port_are_one_message(store, tmp_path):
    command = [sys.executable, "-m", "fledgling", "serve"]
    missing = subprocess.run([*command, str(tmp_path / "no")], capture_output=True, text=True)
    assert missing.returncode == 1 and "does not exist" in missing.stderr
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = subprocess.run(
            [*command, str(store), "--port", port], capture_output=True, text=True
        )
    assert refused.returncode == 1 and f"port {port}" in refused.stderr
    assert "Traceback" not in refused.stderr
