"""How long headless runs take side by side, against one after another, in one run on one machine.

    python benchmarks/reports.py notebooks 00 01     # real notebooks
    python benchmarks/reports.py sweep 00            # eight seeds of one notebook

Each prints the seconds of both ways, their ratio, and whether the results are the same. One after
another a notebook has every core; side by side the cores are shared out. A third way, one after
another with as many threads as side by side, is what ``fledgling sweep --jobs 1`` does.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from fledgling.core.processes import available_cores
from fledgling.reports.notebooks import find_notebook
from fledgling.reports.results import stored_runs
from fledgling.reports.runner import plan, run, threads_each
from fledgling.reports.running import Request

SEEDS = 8
TIME_LIMIT = 1200.0  # seconds that one notebook may take

Metrics = dict[str, dict[str, float | None]]


def timed(requests: Sequence[Request], jobs: int, threads: int = 0) -> tuple[float, Metrics]:
    """Seconds for all of them, and what they measured."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        options = {"jobs": jobs, "threads": threads, "time_limit": TIME_LIMIT}
        for event in run(requests, reports=Path(folder), **options):
            if event.stored and event.stored.results.status != "ok":
                raise SystemExit(f"{event.request.name}: {event.stored.results.error}")
        seconds = time.monotonic() - began
        finished, _ = stored_runs(Path(folder))
        return seconds, {stored.folder.name: stored.results.metrics for stored in finished}


def differing(ours: Metrics, theirs: Metrics) -> list[str]:
    """Metrics that came out another way, times aside."""
    return sorted(
        f"{name}: {metric}"
        for name, metrics in ours.items()
        for metric, value in metrics.items()
        if theirs[name][metric] != value and "second" not in metric and "_ms" not in metric
    )


def main() -> None:
    kind, *names = sys.argv[1:]
    notebooks = [find_notebook(name) for name in names]
    requests = [plan(notebook) for notebook in notebooks]
    if kind == "sweep":
        requests = [plan(notebooks[0], seed=seed) for seed in range(SEEDS)]
    jobs = min(available_cores(), len(requests))
    together, ours = timed(requests, jobs)
    alone, theirs = timed(requests, 1)
    again, same = timed(requests, 1, threads_each(jobs))
    print(f"side by side ({jobs} jobs): {together:.1f} s")
    print(f"one after another: {alone:.1f} s")
    print(f"ratio: {together / alone:.2f}")
    print(f"results that differ: {differing(ours, theirs) or 'none'}")
    print(f"one after another on as many threads: {again:.1f} s, ratio {together / again:.2f}")
    print(f"results that differ: {differing(ours, same) or 'none'}")


if __name__ == "__main__":
    main()
