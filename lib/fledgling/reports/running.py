"""A notebook while it runs: its process, its working folder, and what becomes of both."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import papermill
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from papermill.exceptions import PapermillExecutionError

from fledgling.core.errors import FledglingError
from fledgling.core.files import write_json
from fledgling.core.layers import SETTINGS_VARIABLE
from fledgling.core.processes import end_descendants
from fledgling.reports.index import write_index
from fledgling.reports.live_cells import HEADLESS
from fledgling.reports.notebooks import verbatim
from fledgling.reports.pages import write_page
from fledgling.reports.results import Measured, Results, StoredRun, read_results
from fledgling.reports.run_folders import (
    environment,
    final_folder,
    open_folder,
    publish,
    settle_notebook,
    storing,
)

_LOG = "kernel.log"


@dataclass(frozen=True)
class Request:
    """One run to make, checked. ``parameters`` are those given beyond preset and seed, ``settings``
    the values of the configuration given by dotted key; ``cells`` to execute.
    """

    notebook: Path
    run_id: str
    preset: str
    seed: int
    parameters: Mapping[str, Any]
    settings: Mapping[str, Any]
    cells: int
    takes: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.notebook.stem


class ThisInterpreter(KernelSpecManager):
    """Runs every notebook on the interpreter that runs us, whatever kernels the user has."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        # -P: a file of the current folder must not stand in for a module that the kernel imports.
        start = [sys.executable, "-P", "-m", "fledgling.reports.kernel", "-f", "{connection_file}"]
        return KernelSpec(argv=start, display_name="Python 3", language="python")


class Kernel(AsyncKernelManager):
    """A kernel whose client can be closed: papermill closes only what it has started itself."""

    connected: AsyncKernelClient | None = None

    def client(self, **options: Any) -> AsyncKernelClient:
        self.connected = super().client(**options)
        return self.connected


class RunningNotebook:
    """A notebook while papermill executes it: on a thread here, its kernel in a process of its own,
    in a working folder that nobody reads yet.

    Killing the kernel is the only time limit that holds: a cell may swallow KeyboardInterrupt.
    """

    def __init__(self, request: Request, reports: Path, *, threads: int, time_limit: float) -> None:
        self.request, self.reports = request, reports
        self.threads, self.time_limit = threads, time_limit
        self.folder = open_folder(reports, request.name, request.run_id)
        self.started = datetime.now(UTC)
        self.began = time.monotonic()
        self.cells_done = 0
        self.error: str | None = None
        try:
            with storing(reports):
                self.kernel = self._start_kernel()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.thread = Thread(target=self._execute, daemon=True)
        self.thread.start()

    def _start_kernel(self) -> Kernel:
        kernel = Kernel(kernel_spec_manager=ThisInterpreter())
        count = str(self.threads)
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "FLEDGLING_THREADS"), count)
        with (self.folder / _LOG).open("wb") as log:
            run_sync(kernel.start_kernel)(
                stdout=log,
                stderr=log,
                env={
                    **os.environ,
                    **threads,
                    HEADLESS: "1",
                    SETTINGS_VARIABLE: json.dumps(dict(self.request.settings)),
                    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
                },
            )
        return kernel

    def _execute(self) -> None:
        """Run the notebook into ``notebook.ipynb`` of the working folder; ``error`` says in one
        line what went wrong.
        """
        request = self.request
        standard = {"preset": request.preset, "seed": request.seed, "out": str(self.folder)}
        taken = {name: value for name, value in standard.items() if name in request.takes}
        try:
            papermill.execute_notebook(
                verbatim(request.notebook),
                verbatim(self.folder / "notebook.ipynb"),
                parameters={**taken, **request.parameters},
                kernel_name="python3",
                language="python",
                km=self.kernel,
                progress_bar=False,
                log_output=False,
                on_cell_complete=self._count_cell,
            )
        except PapermillExecutionError as error:
            self.error = f"{error.ename}: {error.evalue} (cell {error.cell_index + 1})"
        except Exception as error:  # a dead kernel, a full disk: this run failed, the others go on
            last = (self.folder / _LOG).read_text(encoding="utf-8", errors="replace").strip()
            said = f"; it said: {last.splitlines()[-1]}" if last else ""
            self.error = f"{type(error).__name__}: {error}{said}"
        finally:
            if self.kernel.connected:
                self.kernel.connected.stop_channels()

    def _count_cell(self, **_: Any) -> None:
        self.cells_done += 1

    def is_over(self) -> bool:
        """True when the notebook has ended or its time has."""
        return not self.thread.is_alive() or self._seconds() > self.time_limit

    def _seconds(self) -> float:
        return time.monotonic() - self.began

    def finish(self) -> StoredRun:
        """Decide the status, complete the run directory and give it its final name."""
        seconds = round(self._seconds(), 1)
        if self.thread.is_alive():
            limit = f"the time limit of {self.time_limit:g} s"
            status, error = "timeout", f"stopped after {limit} (raise it with --time-limit)"
        else:
            status, error = "failed" if self.error else "ok", self.error
        self._end()
        try:
            with storing(self.reports):
                stored = self._store(status, error, seconds)
                write_index(self.reports)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        return stored

    def _store(self, status: str, error: str | None, seconds: float) -> StoredRun:
        request, work = self.request, self.folder
        measured, where = Measured(), {}
        try:
            if (work / "results.json").exists():  # else the notebook did not come that far
                measured = read_results(work, Measured)
            where = environment(work, threads=self.threads, seed=request.seed)
        except FledglingError as unreadable:  # this run's own failure: the others go on
            status = "failed"
            error = error or f"what the notebook wrote cannot be read: {unreadable}"
        final = final_folder(self.reports, request.name, request.run_id, status)
        results = Results(
            notebook=request.name,
            run_id=final.name,
            status=status,
            preset=request.preset,
            seed=request.seed,
            started=self.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
            seconds=seconds,
            parameters={**request.parameters, **request.settings},
            environment=where,
            error=error,
            **dict(measured),
        )
        notebook = settle_notebook(work, final, request.notebook, results)
        write_page(work / "report.html", notebook, results)
        write_json(work / "results.json", results.to_json())
        (work / _LOG).unlink(missing_ok=True)
        return StoredRun(publish(work, final), results)

    def discard(self) -> None:
        """End the notebook and remove its working folder: an interrupted run leaves nothing."""
        self._end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self) -> None:
        """End the kernel and whatever it started; the thread follows within a second or two."""
        end_descendants(self.kernel.provisioner.pid)
        self.thread.join()
        self.kernel.cleanup_connection_file()
