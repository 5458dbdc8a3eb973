"""Notebooks run headless: checked first, executed by papermill under a time limit, stored whole or
not at all.

``plan`` refuses what cannot work; ``run`` is a generator of what happens. The caller draws the
progress bar, prints, or stops: closing the generator ends the notebooks and leaves nothing behind
under a final name.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import psutil

from fledgling.core.errors import RunError
from fledgling.core.files import read_json, write_json
from fledgling.core.layers import read_layer
from fledgling.core.paths import CONFIGS, REPORTS
from fledgling.reports import worker
from fledgling.reports.fingerprints import fingerprint
from fledgling.reports.index import write_index
from fledgling.reports.notebooks import (
    check_parameters,
    count_cells,
    declared_parameters,
    read_notebook,
)
from fledgling.reports.pages import write_page
from fledgling.reports.run_folders import (
    environment,
    final_folder,
    measured,
    open_folder,
    publish,
    settle_notebook,
    storing,
    succeeded,
)

_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Request:
    """One run to make, checked. ``parameters`` are those given beyond preset and seed; ``cells`` to
    execute.
    """

    notebook: Path
    run_id: str
    preset: str
    seed: int
    parameters: Mapping[str, Any]
    cells: int
    takes: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.notebook.stem


@dataclass(frozen=True)
class Event:
    """What happened to a run. ``done`` counts its finished cells; ``folder`` and ``seconds`` are
    set at the end.
    """

    kind: Literal["started", "cell", "skipped", "ended"]
    request: Request
    done: int = 0
    status: str = ""
    seconds: float = 0.0
    error: str | None = None
    folder: Path | None = None


def plan(
    notebook: Path,
    *,
    preset: str = "quick",
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
) -> Request:
    """Check a run before anything starts.

    Raises ``ConfigError`` for an unknown preset, ``RunError`` for a parameter that the notebook
    does not take.
    """
    read_layer(CONFIGS / "presets", preset)  # refuses a name that is not known
    takes = declared_parameters(notebook)
    checked = check_parameters(notebook, parameters or {})
    preset, seed = checked.pop("preset", preset), checked.pop("seed", seed)
    source = read_notebook(notebook)
    digits = fingerprint(source, {"preset": preset, "seed": seed, **checked})
    return Request(
        notebook,
        f"{preset}-s{seed}-{digits}",
        preset,
        seed,
        checked,
        count_cells(source),
        tuple(takes),
    )


def run(
    requests: Sequence[Request],
    *,
    reports: Path = REPORTS,
    force: bool = False,
    jobs: int = 1,
    time_limit: float,
) -> Iterator[Event]:
    """Run the notebooks, ``jobs`` side by side, each for at most ``time_limit`` seconds, and tell
    what happens.

    A run whose inputs have not changed since it succeeded is skipped unless ``force``. A notebook
    that fails does not stop the others. Raises ``RunError`` where the reports folder cannot be
    written.
    """
    waiting = deque({(request.name, request.run_id): request for request in requests}.values())
    running: list[RunningNotebook] = []
    threads = threads_each(jobs)
    try:
        while waiting or running:
            while waiting and len(running) < max(1, jobs):
                request = waiting.popleft()
                earlier = reports / request.name / request.run_id
                if not force and succeeded(earlier):
                    yield Event("skipped", request, status="ok", folder=earlier)
                    continue
                running.append(
                    RunningNotebook(request, reports, threads=threads, time_limit=time_limit)
                )
                yield Event("started", request)
            for one in list(running):
                yield from one.news()
                if one.is_over():
                    running.remove(one)
                    yield one.finish()
            time.sleep(_POLL_SECONDS if running else 0.0)
    finally:
        for one in running:
            one.discard()


def threads_each(jobs: int) -> int:
    """CPU threads for each of ``jobs`` processes: two that both take every core slow each other
    many times.
    """
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    allowed = int(os.environ.get("FLEDGLING_THREADS", "0")) or cores
    return max(1, min(allowed, cores) // max(1, jobs))


class RunningNotebook:
    """A notebook executing in a process of its own, in a working folder that nobody reads yet."""

    def __init__(self, request: Request, reports: Path, *, threads: int, time_limit: float) -> None:
        self.request, self.reports, self.threads, self.time_limit = (
            request,
            reports,
            threads,
            time_limit,
        )
        self.folder = open_folder(reports, request.name, request.run_id)
        self.started = datetime.now(UTC)
        self.began = time.monotonic()
        self.seen = 0
        try:
            with storing(reports):
                self.process = self._launch()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def _launch(self) -> subprocess.Popen[bytes]:
        standard = {
            "preset": self.request.preset,
            "seed": self.request.seed,
            "out": str(self.folder),
        }
        parameters = {name: value for name, value in standard.items() if name in self.request.takes}
        job = self.folder / "job.json"
        write_json(
            job,
            {
                "notebook": str(self.request.notebook),
                "folder": str(self.folder),
                "cwd": str(Path.cwd()),
                "parameters": {**parameters, **self.request.parameters},
            },
        )
        count = str(self.threads)
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "FLEDGLING_THREADS"), count)
        with (self.folder / worker.LOG).open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "fledgling.reports.worker", str(job)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the runner alone, which then ends its processes
                env={**os.environ, **threads, "PYDEVD_DISABLE_FILE_VALIDATION": "1"},
            )

    def news(self) -> Iterator[Event]:
        """One event for each cell finished since the last call."""
        path = self.folder / worker.PROGRESS
        lines = path.read_text(encoding="utf-8").count("\n") if path.is_file() else 0
        while self.seen < lines:
            self.seen += 1
            yield Event("cell", self.request, done=self.seen)

    def is_over(self) -> bool:
        """True when the process has ended or its time has."""
        return self.process.poll() is not None or self._seconds() > self.time_limit

    def _seconds(self) -> float:
        return time.monotonic() - self.began

    def finish(self) -> Event:
        """Decide the status, complete the run directory and give it its final name."""
        seconds = round(self._seconds(), 1)
        status, error = self._outcome()
        self._kill()
        try:
            with storing(self.reports):
                folder = self._store(status, error, seconds)
                write_index(self.reports)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        return Event("ended", self.request, self.seen, status, seconds, error, folder)

    def _outcome(self) -> tuple[str, str | None]:
        if self.process.poll() is None:
            return (
                "timeout",
                f"stopped after the time limit of {self.time_limit:g} s (raise it with --time-limit)",
            )
        outcome = self.folder / worker.OUTCOME
        if not outcome.is_file():
            log = (
                (self.folder / worker.LOG)
                .read_text(encoding="utf-8", errors="replace")
                .strip()
                .splitlines()
            )
            return (
                "failed",
                f"the process ended with code {self.process.returncode}: {log[-1] if log else 'no output'}",
            )
        error = read_json(outcome)["error"]
        return ("ok", None) if error is None else ("failed", error)

    def _store(self, status: str, error: str | None, seconds: float) -> Path:
        request, work = self.request, self.folder
        final = final_folder(self.reports, request.name, request.run_id, status)
        results = {
            "notebook": request.name,
            "run_id": final.name,
            "status": status,
            "preset": request.preset,
            "seed": request.seed,
            "started": self.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "seconds": seconds,
            "parameters": dict(request.parameters),
            "environment": environment(work, threads=self.threads, seed=request.seed),
            **measured(work),
        }
        if error is not None:
            results["error"] = error
        notebook = settle_notebook(work, final, request.notebook, results)
        write_page(work / "report.html", notebook, results)
        write_json(work / "results.json", results)
        for name in ("job.json", worker.PROGRESS, worker.OUTCOME, worker.LOG):
            (work / name).unlink(missing_ok=True)
        shutil.rmtree(work / "jupyter", ignore_errors=True)
        return publish(work, final)

    def discard(self) -> None:
        """End the notebook and remove its working folder: an interrupted run leaves nothing."""
        self._kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _kill(self) -> None:
        """End the process, its kernel, and whatever the kernel started."""
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(self.process.pid)
            for process in [*root.children(recursive=True), root]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        self.process.wait()


def newest(notebook: str, reports: Path = REPORTS) -> dict[str, Any]:
    """The results of the newest run of a notebook. Raises ``RunError`` when there is none."""
    found = [read_json(path) for path in (reports / notebook).glob("[!.]*/results.json")]
    finished = [results for results in found if "status" in results]
    if not finished:
        raise RunError(
            f"{notebook} has no run in {reports}; make one with: fledgling report {notebook}"
        )
    return max(finished, key=lambda results: results["started"])
