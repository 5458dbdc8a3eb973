"""The same grid on a local Ray of two workers, where Ray is installed."""

import sys

import pytest

from fledgling.core.errors import MissingExtra
from fledgling.reports.ray_engine import run_on_ray
from fledgling.reports.runner import run
from fledgling.reports.sweeps import plan_sweep

SQUARES = """
from fledgling.core.run_store import RunStore
from fledgling.settings import load_config
if steps == 3:
    raise ValueError("three is refused")
run = RunStore.open(out, "squares", load_config(preset))
run.finish({"square": float(steps**2), "rank": load_config(preset).facts.adapter.rank}, [])
""".strip()


@pytest.fixture
def sweep(tmp_path, write_notebook):
    notebook = write_notebook(tmp_path / "squares.ipynb", SQUARES)
    return plan_sweep(notebook, {"steps": [1, 2, 3], "facts.adapter.rank": [5]})


def test_without_ray_the_install_command_is_named(sweep, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    events = run_on_ray(sweep.requests, reports=tmp_path, force=False, threads=1, time_limit=60)
    with pytest.raises(MissingExtra, match=r"pip install 'fledgling\[sweeps\]'"):
        next(events)


def test_ray_gives_what_local_processes_give(sweep, tmp_path):
    pytest.importorskip("ray", reason="ray is not installed")
    here, there = tmp_path / "here", tmp_path / "there"
    list(run(sweep.requests, reports=here, jobs=2, time_limit=300))
    options = {"reports": there, "force": False, "threads": 1, "time_limit": 300}
    events = list(run_on_ray(sweep.requests, **options))
    assert [event.kind for event in events].count("ended") == 3
    pairs = list(zip(sweep.stored(here), sweep.stored(there), strict=True))
    assert [one.results.metrics for one, _ in pairs] == [
        {"square": 1.0, "rank": 5.0},
        {"square": 4.0, "rank": 5.0},
        {},
    ]
    for one, other in pairs:
        assert one.results.metrics == other.results.metrics
        assert one.results.status == other.results.status
        assert one.results.error == other.results.error
    again = list(run_on_ray(sweep.requests[:2], **options))
    assert [event.kind for event in again] == ["skipped", "skipped"]
