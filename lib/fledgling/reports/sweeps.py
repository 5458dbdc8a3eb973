"""One notebook over a small grid of parameters, and what came out as one table."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas

from fledgling.core.errors import RunError
from fledgling.core.files import write_atomically
from fledgling.core.paths import REPORTS
from fledgling.reports.results import read_results
from fledgling.reports.runner import plan
from fledgling.reports.running import Request

_FIXED = ("run_id", "status", "preset", "seed", "seconds")


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
) -> list[Request]:
    """One checked request for each point of the grid; ``parameters`` hold for all of them.

    ``runner.run`` executes them, in local processes; points whose inputs did not change are not
    repeated.
    """
    return [
        plan(notebook, preset=preset, seed=seed, parameters={**(parameters or {}), **point})
        for point in grid(axes)
    ]


def collect(requests: Sequence[Request], reports: Path = REPORTS) -> pandas.DataFrame:
    """One row a run: run_id, status, preset, seed, seconds, its parameters, its metrics; missing
    runs are left out.
    """
    rows = []
    for request in requests:
        folder = reports / request.name / request.run_id
        if (folder / "results.json").is_file():
            run = read_results(folder)
            fixed = run.model_dump(include=set(_FIXED))
            rows.append({**{name: fixed[name] for name in _FIXED}, **run.parameters, **run.metrics})
    return pandas.DataFrame(rows, columns=None if rows else list(_FIXED))


def write_table(table: pandas.DataFrame, path: Path) -> Path:
    """Write a sweep as CSV, whole or not at all."""
    write_atomically(path, lambda temporary: table.to_csv(temporary, index=False))
    return path
