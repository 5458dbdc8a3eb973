"""Real notebooks in real processes; each run takes a few seconds, so that one set serves many
assertions.
"""

import contextlib
import errno
import os
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest

from fledgling.core.errors import ConfigError, RunError
from fledgling.core.files import read_json
from fledgling.reports import running
from fledgling.reports.results import newest, read_results
from fledgling.reports.runner import plan, run, threads_each

SWALLOW = """
import os, pathlib, subprocess, time
child = subprocess.Popen(["sleep", "600"])
pathlib.Path({path!r}).write_text(f"{{os.getpid()}}\\n{{child.pid}}\\n")
while True:
    try:
        time.sleep(1)
    except KeyboardInterrupt:
        pass
""".strip()
LAST_WORDS = "import os\nos.system('echo last words >&2')\nos._exit(3)"
FILES = {"notebook.ipynb", "report.html", "config.yaml", "steps.jsonl", "results.json", "figures"}
FIELDS = [
    "notebook",
    "run_id",
    "status",
    "preset",
    "seed",
    "started",
    "seconds",
    "parameters",
    "environment",
    "metrics",
    "verdicts",
]


BAD_RESULTS = {
    "writes_nan": '{"metrics": {"efficacy": NaN}, "verdicts": []}',
    "writes_a_list": "[1, 2]",
    "writes_half": '{"metrics": ',
    "writes_text": '{"metrics": {"efficacy": "high"}}',
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory, measuring_notebook, write_notebook):
    """Notebooks that raise, kill their kernel, or write what is no results.json; then one that
    works.
    """
    folder = tmp_path_factory.mktemp("notebooks")
    reports = tmp_path_factory.mktemp("reports {with} odd name")
    write = "import pathlib\npathlib.Path(out, 'results.json').write_text({!r})"
    notebooks = [
        write_notebook(folder / "raises.ipynb", "print('before')", "1 / 0", "print('after')"),
        write_notebook(folder / "dies.ipynb", LAST_WORDS),
        *(
            write_notebook(folder / f"{name}.ipynb", write.format(content))
            for name, content in BAD_RESULTS.items()
        ),
        measuring_notebook(folder),
    ]
    requests = [plan(notebook, parameters={"lr": "0.75"}) for notebook in notebooks]
    events = list(run(requests, reports=reports, time_limit=120, jobs=2))
    ended = {event.request.name: event.stored for event in events if event.stored}
    return reports, requests, events, ended


@pytest.mark.parametrize("name", BAD_RESULTS)
def test_a_run_that_writes_bad_results_failed_and_the_others_go_on(finished, name):
    reports, _, _, ended = finished
    assert ended[name].results.status == "failed"
    assert "what the notebook wrote cannot be read" in ended[name].results.error
    assert read_results(ended[name].folder) == ended[name].results
    assert ended["measures"].results.status == "ok"
    assert name in (reports / "index.html").read_text(encoding="utf-8")


def test_a_run_directory_is_complete(finished):
    _, requests, _, ended = finished
    folder = ended["measures"].folder
    assert {path.name for path in folder.iterdir()} == FILES
    results = read_json(folder / "results.json")
    assert list(results) == FIELDS
    assert results["run_id"] == folder.name == requests[-1].run_id and folder.name.startswith(
        "quick-s0-"
    )
    assert results["parameters"] == {"lr": 0.75} and results["metrics"]["efficacy"] == 0.75
    assert [verdict["passed"] for verdict in results["verdicts"]] == [True, False]
    assert {"torch", "device", "dtype", "threads"} <= results["environment"].keys()


def test_the_executed_notebook_names_its_final_folder(finished):
    _, _, _, ended = finished
    text = (ended["measures"].folder / "notebook.ipynb").read_text(encoding="utf-8")
    assert ".tmp" not in text and ended["measures"].folder.name in text


def test_figures_are_shown_and_embedded(finished):
    _, _, _, ended = finished
    page = (ended["measures"].folder / "report.html").read_text(encoding="utf-8")
    assert 'src="data:image/png;base64,' in page
    assert "https://" not in page and "<script" not in page


def test_a_failing_notebook_keeps_what_ran_and_why_it_stopped(finished):
    _, _, _, ended = finished
    failed = ended["raises"]
    assert "ZeroDivisionError: division by zero" in failed.results.error
    assert read_results(failed.folder) == failed.results and failed.results.status == "failed"
    cells = nbformat.read(failed.folder / "notebook.ipynb", as_version=4).cells
    outputs = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    assert "before\n" in [output.get("text") for output in outputs]
    assert "after\n" not in [output.get("text") for output in outputs]


def test_a_dead_kernel_is_a_failure_and_the_others_still_run(finished):
    _, _, _, ended = finished
    died = ended["dies"].results
    assert died.status == "failed" and "Kernel died" in died.error and "last words" in died.error
    assert ended["measures"].results.status == "ok"


def test_the_cells_are_counted_as_they_finish(finished):
    _, requests, events, _ = finished
    cells = [
        event.done for event in events if event.kind == "cell" and event.request is requests[-1]
    ]
    assert cells == sorted(set(cells)) and cells[-1] == requests[-1].cells


def test_nothing_temporary_is_left(finished):
    reports, *_ = finished
    assert not [
        path for path in reports.rglob("*") if ".tmp" in path.name or path.name.startswith(".")
    ]


def test_an_unchanged_run_is_skipped_and_a_failed_one_is_not(finished):
    reports, requests, _, _ = finished
    first = next(run([requests[-1]], reports=reports, time_limit=60))
    assert first.kind == "skipped" and first.request is requests[-1]
    again = run([requests[0]], reports=reports, time_limit=60)
    assert next(again).kind == "started"
    again.close()


def test_newest_is_the_last_one_started(finished):
    reports, requests, _, _ = finished
    assert newest("measures", reports).results.run_id == requests[-1].run_id
    with pytest.raises(RunError, match="has no run"):
        newest("nothing", reports)


def test_a_hanging_notebook_times_out_and_its_kernel_ends(tmp_path, write_notebook):
    kernel = tmp_path / "kernel"
    notebook = write_notebook(
        tmp_path / "hangs.ipynb", "print('before')", SWALLOW.format(path=str(kernel))
    )
    events = list(run([plan(notebook)], reports=tmp_path / "reports", time_limit=12))
    stored = events[-1].stored
    assert stored.results.status == "timeout" and "--time-limit" in stored.results.error
    assert "before" in (stored.folder / "notebook.ipynb").read_text(encoding="utf-8")
    assert not any(_is_alive(line) for line in kernel.read_text().splitlines())


def test_a_failed_repeat_does_not_replace_a_good_run(tmp_path, write_notebook):
    notebook = write_notebook(
        tmp_path / "flaky.ipynb",
        f"import pathlib\nassert not pathlib.Path({str(tmp_path)!r}, 'broken').exists()",
    )
    reports = tmp_path / "reports"
    good = list(run([plan(notebook)], reports=reports, time_limit=60))[-1].stored
    (tmp_path / "broken").touch()
    bad = list(run([plan(notebook)], reports=reports, time_limit=60, force=True))[-1].stored
    assert (good.results.status, bad.results.status) == ("ok", "failed")
    assert read_results(good.folder).status == "ok"
    assert bad.folder.name == f"{good.folder.name}-failed"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_full_disk_at_the_end_leaves_nothing_half_written(
    tmp_path, write_notebook, monkeypatch, code
):
    def full(*_):
        raise OSError(code, os.strerror(code))

    notebook = write_notebook(tmp_path / "small.ipynb", "1")
    monkeypatch.setattr(running, "write_page", full)
    with pytest.raises(
        RunError, match=f"{os.strerror(code)}; free some space or choose another folder"
    ):
        list(run([plan(notebook)], reports=tmp_path / "reports", time_limit=60))
    assert list((tmp_path / "reports" / "small").iterdir()) == []


def test_an_unwritable_reports_folder_stops_before_anything_runs(tmp_path, write_notebook):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(RunError, match="choose another folder with --reports"):
        list(
            run(
                [plan(write_notebook(tmp_path / "a.ipynb"))],
                reports=tmp_path / "file" / "reports",
                time_limit=60,
            )
        )


def _hear_signals():
    """As from a terminal: tests run in the background or under nohup ignore some."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 129),
        (signal.SIGKILL, -signal.SIGKILL),
    ],
)
def test_however_the_runner_ends_its_notebooks_end_too(tmp_path, write_notebook, number, code):
    kernel = tmp_path / "kernel"
    notebook = write_notebook(tmp_path / "hangs.ipynb", SWALLOW.format(path=str(kernel)))
    reports = tmp_path / "reports"
    command = [
        sys.executable,
        "-m",
        "fledgling",
        "report",
        str(notebook),
        "--reports",
        str(reports),
    ]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        preexec_fn=_hear_signals,
    )
    try:
        wait_for(lambda: kernel.is_file() and kernel.read_text().count("\n") == 2)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == code
    wait_for(lambda: not any(_is_alive(line) for line in kernel.read_text().splitlines()))
    if number != signal.SIGKILL:
        assert "interrupted" in errors and "Traceback" not in errors
        assert list((reports / "hangs").iterdir()) == []


@pytest.mark.parametrize("parameters", [{"preset": "../presets/quick"}, {"preset": "..."}])
def test_a_preset_is_a_name_wherever_it_is_given(tmp_path, write_notebook, parameters):
    with pytest.raises(ConfigError, match="is not known"):
        plan(write_notebook(tmp_path / "a.ipynb"), parameters=parameters)


def test_a_notebook_whose_name_leads_elsewhere_is_refused(tmp_path, write_notebook):
    with pytest.raises(RunError, match=r"notebook '\.\.' cannot be the name of a folder"):
        plan(write_notebook(tmp_path / "...ipynb"))


def test_a_plan_refuses_before_anything_runs(tmp_path, write_notebook):
    notebook = write_notebook(tmp_path / "a.ipynb")
    with pytest.raises(ConfigError, match="did you mean 'quick'"):
        plan(notebook, preset="quik")
    with pytest.raises(RunError, match="did you mean 'steps'"):
        plan(notebook, parameters={"stesp": 1})


def test_threads_are_shared_out(monkeypatch):
    monkeypatch.setenv("FLEDGLING_THREADS", "1")
    assert threads_each(4) == 1
    monkeypatch.delenv("FLEDGLING_THREADS")
    assert threads_each(1) == len(os.sched_getaffinity(0))
    assert threads_each(10_000) == 1


def wait_for(condition) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _is_alive(number: str) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(int(number)).status() != psutil.STATUS_ZOMBIE
    return False
