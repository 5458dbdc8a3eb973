"""Notebooks run headless: checked first, executed by papermill under a time limit, stored whole or
not at all.

``plan`` refuses what cannot work; ``run`` is a generator of what happens. The caller draws the
progress bar, prints, or stops: closing the generator ends the notebooks and leaves nothing behind
under a final name.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil

from fledgling.core.errors import RunError
from fledgling.core.layers import parse_value, read_layer
from fledgling.core.paths import CONFIGS, REPORTS, plain_name
from fledgling.core.processes import available_cores
from fledgling.reports.fingerprints import fingerprint
from fledgling.reports.notebooks import (
    check_parameters,
    count_cells,
    declared_parameters,
    read_notebook,
)
from fledgling.reports.results import StoredRun, stored_runs, succeeded
from fledgling.reports.running import Request, RunningNotebook
from fledgling.reports.settings import ReportsSection

_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Event:
    """What happened to a run. ``done`` counts its finished cells; ``stored`` is set at the end,
    unless the machine that made the run was lost.
    """

    kind: Literal["started", "cell", "skipped", "ended"]
    request: Request
    done: int = 0
    stored: StoredRun | None = None


def plan(
    notebook: Path,
    *,
    preset: str = "quick",
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
) -> Request:
    """Check a run before anything starts. A parameter with a dot in its name is a value of the
    configuration: ``facts.learning.lr``.

    Raises ``ConfigError`` for an unknown preset, ``RunError`` for a parameter that the notebook
    does not take, or a file whose name cannot be a folder's.
    """
    given = dict(parameters or {})
    settings = {key: _value(given.pop(key)) for key in list(given) if "." in key}
    takes = declared_parameters(notebook)
    if settings and "preset" not in takes:
        raise RunError(
            f"{notebook.stem} reads no configuration: it takes no {next(iter(settings))}"
        )
    checked = check_parameters(notebook, given)
    preset, seed = checked.pop("preset", preset), checked.pop("seed", seed)
    read_layer(CONFIGS / "presets", preset)  # refuses a name that is not known
    plain_name(notebook.stem, "notebook")
    source = read_notebook(notebook)
    digits = fingerprint(source, {"preset": preset, "seed": seed, **checked, **settings})
    return Request(
        notebook=notebook,
        run_id=f"{preset}-s{seed}-{digits}",
        preset=preset,
        seed=seed,
        parameters=checked,
        settings=settings,
        cells=count_cells(source),
        takes=tuple(takes),
    )


def _value(given: Any) -> Any:
    return parse_value(given) if isinstance(given, str) else given


def run(
    requests: Sequence[Request],
    *,
    reports: Path = REPORTS,
    force: bool = False,
    jobs: int = 1,
    threads: int = 0,
    time_limit: float,
) -> Iterator[Event]:
    """Run the notebooks in order, ``jobs`` side by side, each for at most ``time_limit`` seconds,
    and tell what happens. Each gets ``threads`` CPU threads; 0 shares them out.

    A run whose inputs have not changed since it succeeded is skipped unless ``force``. A notebook
    that fails does not stop the others. Raises ``RunError`` where the reports folder cannot be
    written.
    """
    waiting = deque({(request.name, request.run_id): request for request in requests}.values())
    running: dict[RunningNotebook, int] = {}  # with the number of cells that were told
    threads = threads or threads_each(jobs)
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                request = waiting.popleft()
                earlier = reports / request.name / request.run_id
                if not force and succeeded(earlier):
                    yield Event("skipped", request)
                    continue
                one = RunningNotebook(request, reports, threads=threads, time_limit=time_limit)
                running[one] = 0
                yield Event("started", request)
            for one in list(running):
                over = one.is_over()  # asked before the cells are counted: none is missed
                if one.cells_done > running[one]:
                    running[one] = one.cells_done
                    yield Event("cell", one.request, one.cells_done)
                if over:
                    del running[one]
                    yield Event("ended", one.request, one.cells_done, one.finish())
            time.sleep(_POLL_SECONDS if running else 0.0)
    finally:
        for one in running:
            one.discard()


def longest_first(
    requests: Sequence[Request], reports: Path, section: ReportsSection
) -> list[Request]:
    """The requests in the order that keeps every core busy to the end: by the time that each
    notebook last took at its preset. Those that never ran come first, in the order of the
    configuration.
    """
    seconds: dict[tuple[str, str], float] = {}
    for run in stored_runs(reports)[0]:
        seconds.setdefault((run.results.notebook, run.results.preset), run.results.seconds)
    known = {name: place for place, name in enumerate(section.longest_first)}

    def order(request: Request) -> tuple[float, int]:
        took = seconds.get((request.name, request.preset), float("inf"))
        return -took, known.get(request.name, len(known))

    return sorted(requests, key=order)


def side_by_side(count: int, section: ReportsSection) -> int:
    """How many of ``count`` notebooks to run at once: one a core, as memory allows. Two on one
    thread each finish sooner than one after the other on two.
    """
    memory = psutil.virtual_memory().available / 2**30
    fitting = int(memory // section.job_gigabytes)
    return max(1, min(count, _allowed_cores(), fitting))


def threads_each(jobs: int) -> int:
    """CPU threads for each of ``jobs`` processes: two that both take every core slow each other
    many times.
    """
    return max(1, _allowed_cores() // jobs)


def _allowed_cores() -> int:
    cores = available_cores()
    return min(int(os.environ.get("FLEDGLING_THREADS", "0")) or cores, cores)
