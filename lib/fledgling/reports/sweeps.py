"""One notebook over a grid of parameters: the runs to make, what came out of them, the best of it.

A sweep has no state of its own: it is a list of requests, and a request whose run stands already is
not repeated. Killed in any way and started again with the same command, it goes on.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas

from fledgling.core.errors import RunError
from fledgling.core.files import write_atomically
from fledgling.core.layers import parse_overrides
from fledgling.core.records import Interval
from fledgling.core.statistics import mean_interval
from fledgling.reports.results import StoredRun, read_results
from fledgling.reports.runner import plan
from fledgling.reports.running import Request

_FIXED = ("run_id", "status", "preset", "seed", "seconds")


@dataclass(frozen=True)
class Point:
    """One configuration of the grid, seeds aside: the values of its axes, and its finished runs."""

    values: tuple[Any, ...]
    runs: tuple[StoredRun, ...]

    def interval(self, metric: str) -> Interval | None:
        """Mean of a metric over the seeds, with Student's t interval."""
        found = [run.results.metrics.get(metric) for run in self.runs]
        measured = [value for value in found if value is not None]
        return mean_interval(measured) if measured else None


@dataclass(frozen=True)
class Sweep:
    """A planned grid. ``axes`` without the seed; ``folder`` is where its report stands."""

    requests: tuple[Request, ...]
    axes: tuple[str, ...]
    folder: str

    def stored(self, reports: Path) -> list[StoredRun]:
        """The runs that have ended, in the order of the grid, failures too."""
        runs = []
        for request in self.requests:
            parent = reports / request.name
            failed = [parent / f"{request.run_id}-{status}" for status in ("failed", "timeout")]
            for folder in (parent / request.run_id, *failed):
                if (folder / "results.json").is_file():
                    runs.append(StoredRun(folder, read_results(folder)))
                    break
        return runs

    def points(self, reports: Path) -> list[Point]:
        """The grid, seeds together, with the runs that ended well."""
        found: dict[tuple[Any, ...], list[StoredRun]] = {
            self._place(request): [] for request in self.requests
        }
        by_name = {request.run_id: request for request in self.requests}
        for run in self.stored(reports):
            if run.results.status == "ok":
                found[self._place(by_name[run.folder.name])].append(run)
        return [Point(values, tuple(runs)) for values, runs in found.items()]

    def _place(self, request: Request) -> tuple[Any, ...]:
        chosen = {"preset": request.preset, **request.parameters, **request.settings}
        return tuple(chosen[axis] for axis in self.axes)


def grid(axes: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Every combination of the values, the last name varying fastest.

    >>> grid({"lr": [0.1, 0.2], "seed": [0]})
    [{'lr': 0.1, 'seed': 0}, {'lr': 0.2, 'seed': 0}]
    """
    empty = [name for name, values in axes.items() if not values]
    if empty:
        raise RunError(
            f"sweep parameter {empty[0]!r} has no values; write for example {empty[0]}=1,2,3"
        )
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def plan_sweep(
    notebook: Path,
    axes: Mapping[str, Sequence[Any]],
    *,
    preset: str = "quick",
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
) -> Sweep:
    """One checked request for each point of the grid; ``parameters`` hold for all of them."""
    fixed = dict(parameters or {})
    requests = [
        plan(notebook, preset=preset, seed=seed, parameters={**fixed, **point})
        for point in grid(axes)
    ]
    chosen = json.dumps([preset, seed, fixed, {name: list(axes[name]) for name in axes}])
    digits = hashlib.sha256(chosen.encode()).hexdigest()[:6]
    varied = tuple(name for name in axes if name != "seed")
    return Sweep(tuple(requests), varied, f"{notebook.stem}/sweep-{digits}")


def collect(runs: Sequence[StoredRun]) -> pandas.DataFrame:
    """One row a run: run_id, status, preset, seed, seconds, its parameters, its metrics."""
    rows = []
    for run in runs:
        fixed = {name: getattr(run.results, name) for name in _FIXED}
        rows.append({**fixed, **run.results.parameters, **run.results.metrics})
    return pandas.DataFrame(rows, columns=None if rows else list(_FIXED))


def write_table(table: pandas.DataFrame, path: Path) -> Path:
    """Write a sweep as CSV, whole or not at all."""
    write_atomically(path, lambda temporary: table.to_csv(temporary, index=False))
    return path


def judged(points: Sequence[Point]) -> dict[str, bool]:
    """The metrics that a target is set for, in order → whether more is better."""
    found: dict[str, bool] = {}
    for point in points:
        for run in point.runs:
            for verdict in run.results.verdicts:
                found.setdefault(verdict.metric, verdict.target.startswith(">"))
    return found


def best_point(points: Sequence[Point], metric: str, *, more_is_better: bool) -> Point | None:
    """The point whose mean over the seeds is best, the first of equals; ``None`` where none has the
    metric. Points that lack seeds which another has are no candidates: their mean is another thing.
    """
    measured = [(point, point.interval(metric)) for point in points]
    known = [(interval, point) for point, interval in measured if interval]
    if not known:
        return None
    fullest = max(interval.count for interval, _ in known)
    candidates = [(interval, point) for interval, point in known if interval.count == fullest]
    choose = max if more_is_better else min
    return choose(candidates, key=lambda pair: pair[0].mean)[1]


def preset_of(run: StoredRun) -> dict[str, Any]:
    """A preset (a file of configs/presets) that sets what the sweep set by dotted key."""
    settings = {key: value for key, value in run.results.parameters.items() if "." in key}
    return {"extends": run.results.preset, **parse_overrides(settings)}
