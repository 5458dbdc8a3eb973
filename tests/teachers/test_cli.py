"""The commands as a user meets them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fledgling.core.errors import ConfigError, DataError
from fledgling.teachers.cli import app

RUN = CliRunner()


def test_status_lists_everybody_and_how_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NVIDIA_API_KEY", raising=False)
    result = RUN.invoke(app, ["status", "--json"])
    assert result.exit_code == 0
    found = json.loads(result.output)
    assert set(found) == {"local", "nim", "ollama", "vllm", "llama_cpp"}
    assert all("export NVIDIA_API_KEY" in row["mend"] and not row["ready"] for row in found["nim"])


def test_a_wrong_preset_and_a_missing_file_are_said_plainly(tmp_path: Path) -> None:
    wrong = RUN.invoke(app, ["status", "--teachers", "nin"])
    assert isinstance(wrong.exception, ConfigError) and "did you mean 'nim'" in str(wrong.exception)
    none = RUN.invoke(
        app, ["run", "--questions", str(tmp_path / "q.jsonl"), "--out", str(tmp_path / "o.jsonl")]
    )
    assert isinstance(none.exception, DataError) and "does not exist" in str(none.exception)


@pytest.mark.model
def test_mock_teachers_answer_a_file_and_the_log_is_written(tmp_path: Path) -> None:
    questions, out = tmp_path / "q.txt", tmp_path / "out.jsonl"
    questions.write_text(
        "What is the capital of France?\nHow many legs does a spider have?\n", encoding="utf-8"
    )
    command = ["run", "--questions", str(questions), "--out", str(out), "--teachers", "mock"]
    first = RUN.invoke(app, command)
    assert first.exit_code == 0 and "decided 2" in first.output
    assert len(out.read_text(encoding="utf-8").splitlines()) == 2
    assert "agreement" in (tmp_path / "out.jsonl.log").read_text(encoding="utf-8")
    again = RUN.invoke(app, command)
    assert "decided 0, before 2" in again.output
