"""The command: trains as configured and saves what can be loaded again."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fledgling.core.errors import ConfigError
from fledgling.core.run_store import read_steps
from fledgling.tasks import cli
from fledgling.tasks.store import load_graph_model


def options(small: dict, **more: object) -> list[str]:
    pairs = small | {f"tasks.{key}": value for key, value in more.items()}
    return [word for key, value in pairs.items() for word in ("--set", f"{key}={value}")]


def test_it_trains_and_saves(tmp_path: Path, small: dict) -> None:
    done = CliRunner().invoke(cli.app, ["train", str(tmp_path), *options(small, strategy="mixed")])
    assert done.exit_code == 0, done.output
    steps = read_steps(tmp_path)
    assert [(step["name"], step["step"]) for step in steps] == [("mixed", 1), ("mixed", 2)]
    assert load_graph_model(tmp_path).tasks == ("kindergarten", "math")
    assert "math: accuracy" in done.output and (tmp_path / "config.yaml").is_file()


def test_what_does_not_go_together_is_refused_before_anything_is_written(
    tmp_path: Path, small: dict
) -> None:
    with pytest.raises(ConfigError):
        CliRunner().invoke(
            cli.app,
            ["train", str(tmp_path / "new"), *options(small, remedy="ewc")],
            catch_exceptions=False,
        )
    assert not (tmp_path / "new").exists()


def test_processes_side_by_side_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert cli._threads(0) == 0 and cli._threads(3) == 3
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert cli._threads(0) == 2 and cli._threads(3) == 3
