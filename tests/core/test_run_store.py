import json
import math
from pathlib import Path

import numpy as np
import pytest
import yaml

from fledgling.core.errors import DataError, RunError, StorageError
from fledgling.core.files import read_json
from fledgling.core.layers import validate
from fledgling.core.records import StepRecord, judge
from fledgling.core.run_store import RunStore, finite, read_steps
from fledgling.core.statistics import mean_interval, share_interval
from fledgling.reports.figures import new_figure
from fledgling.settings import Config, load_config


@pytest.fixture
def store(tmp_path):
    return RunStore.open(str(tmp_path / "run"), "nb", load_config())


def test_a_run_directory_reads_back(store):
    store.append(StepRecord(0, "learned", "f1", {"loss": np.float32(0.5)}))
    store.finish({"efficacy": np.float64(1.0)}, [judge("efficacy", ">= 0.9", 1.0)])
    assert read_steps(store.folder) == [{"step": 0, "event": "learned", "name": "f1", "loss": 0.5}]
    assert read_json(store.folder / "results.json") == {
        "metrics": {"efficacy": 1.0},
        "intervals": {},
        "verdicts": [{"metric": "efficacy", "target": ">= 0.9", "measured": 1.0, "passed": True}],
    }


def test_an_interval_is_kept_beside_its_metric_and_in_its_verdict(store):
    share = share_interval(19, 20)
    store.finish(
        {"efficacy": share, "once": mean_interval([0.5])}, [judge("efficacy", ">= 0.9", share)]
    )
    found = read_json(store.folder / "results.json")
    assert found["metrics"] == {"efficacy": 0.95, "once": 0.5}
    assert found["intervals"] == {"efficacy": [share.low, share.high]}
    assert found["verdicts"][0]["interval"] == [share.low, share.high]


def test_what_people_say_may_hold_any_line_break(store):
    store.append(StepRecord(0, "said\u2028\x85\x0b", "two\u2029lines"))
    assert read_steps(store.folder) == [
        {"step": 0, "event": "said\u2028\x85\x0b", "name": "two\u2029lines"}
    ]


def test_the_resolved_configuration_is_saved(store):
    saved = yaml.safe_load((store.folder / "config.yaml").read_text(encoding="utf-8"))
    assert validate(Config, saved) == load_config()


def test_numbers_that_json_lacks_become_null(store):
    store.append(StepRecord(0, "x", values={"a": [math.nan, 1.0], "b": math.inf}))
    line = (store.folder / "steps.jsonl").read_text(encoding="utf-8")
    assert json.loads(line)["a"] == [None, 1.0] and json.loads(line)["b"] is None
    assert finite({"x": np.float32("nan"), 3: (1, True)}) == {"x": None, "3": [1, True]}


def test_a_line_cut_by_a_kill_is_left_out_but_a_broken_middle_is_not(store):
    store.append(StepRecord(0, "x"))
    path = store.folder / "steps.jsonl"
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole + '{"step": 1, "ev', encoding="utf-8")
    assert len(read_steps(store.folder)) == 1
    path.write_text('{"step\n' + whole, encoding="utf-8")
    with pytest.raises(DataError, match="line 1"):
        read_steps(store.folder)


def test_a_figure_is_saved_and_handed_back(store):
    figure, _ = new_figure()
    assert store.save_figure(figure, "loss") is figure
    assert [path.name for path in store.figures.iterdir()] == ["loss.png"]
    assert (store.figures / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_a_new_run_starts_without_old_steps(store):
    store.append(StepRecord(0, "x"))
    assert read_steps(RunStore(store.folder).folder) == []


def test_a_disk_that_fills_up_is_one_message_and_the_steps_so_far_stay(store):
    store.append(StepRecord(0, "x"))
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    before = (store.folder / "steps.jsonl").rename(store.folder / "kept.jsonl")
    (store.folder / "steps.jsonl").symlink_to(full)
    with pytest.raises(StorageError, match="No space left on device; free some space"):
        store.append(StepRecord(1, "y"))
    assert len(before.read_text(encoding="utf-8").splitlines()) == 1


def test_a_folder_that_cannot_be_written_is_one_message(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(RunError, match="choose another folder with out="):
        RunStore(tmp_path / "file" / "run")


def test_a_folder_that_is_no_run_says_so(tmp_path):
    with pytest.raises(DataError, match="is it a run directory"):
        read_steps(tmp_path)
