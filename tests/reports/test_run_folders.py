import os

import pytest

from fledgling.core.errors import RunError
from fledgling.reports.run_folders import environment, final_folder, open_folder, publish, storing

_NOBODY = 2**22 + 17  # above the largest process number of Linux


def test_publish_replaces_the_earlier_run(tmp_path, store_run):
    final = store_run(tmp_path, "nb", "run")
    work = store_run(tmp_path, "nb", ".run.1.tmp", status="failed")
    publish(work, final)
    assert "failed" in (final / "results.json").read_text(encoding="utf-8")
    assert [path.name for path in final.parent.iterdir()] == ["run"]


def test_publish_gives_the_earlier_run_back_when_it_cannot_rename(tmp_path, store_run):
    final = store_run(tmp_path, "nb", "run")
    with pytest.raises(FileNotFoundError):
        publish(tmp_path / "missing", final)
    assert "ok" in (final / "results.json").read_text(encoding="utf-8")


def test_what_killed_runs_left_is_cleared_and_running_ones_stay(tmp_path, store_run):
    parent = tmp_path / "nb"
    for name in (f".a.{_NOBODY}.tmp", f".b.{os.getppid()}.tmp"):
        (parent / name).mkdir(parents=True)
    store_run(tmp_path, "nb", f".c.{_NOBODY}.earlier")
    work = open_folder(tmp_path, "nb", "d")
    assert {path.name for path in parent.iterdir()} == {f".b.{os.getppid()}.tmp", "c", work.name}


def test_a_failed_run_lands_beside_a_good_one(tmp_path, store_run):
    assert final_folder(tmp_path, "nb", "run", "failed").name == "run"
    store_run(tmp_path, "nb", "run")
    assert final_folder(tmp_path, "nb", "run", "failed").name == "run-failed"
    assert final_folder(tmp_path, "nb", "run", "ok").name == "run"


def test_storing_names_folder_and_cause(tmp_path):
    with (
        pytest.raises(RunError, match=f"cannot write to {tmp_path}: No space left"),
        storing(tmp_path),
    ):
        raise OSError(28, "No space left on device")


def test_environment_follows_the_saved_configuration(tmp_path):
    (tmp_path / "config.yaml").write_text(
        "core: {device: cpu, dtype: bfloat16, threads: 3}", encoding="utf-8"
    )
    found = environment(tmp_path, threads=1, seed=0)
    assert (found["device"], found["dtype"], found["threads"]) == ("cpu", "bfloat16", 3)
