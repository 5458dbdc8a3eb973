"""Runs side by side: the settings that differ, the metrics with their differences, the verdicts
that changed.

Runs that differ by their seed alone stand in one column; the first column is what the others are
compared with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fledgling.core.errors import RunError
from fledgling.core.files import read_yaml
from fledgling.core.records import Interval
from fledgling.core.statistics import difference, mean_interval, paired_difference
from fledgling.reports.results import StoredRun, read_results, stored_runs


@dataclass(frozen=True)
class Column:
    """Runs of one configuration, one a seed."""

    name: str
    runs: tuple[StoredRun, ...]
    settings: Mapping[str, str]  # dotted key → value as text

    def measured(self, metric: str) -> dict[int, float]:
        """Seed → value, where it was measured."""
        values = {run.results.seed: run.results.metrics.get(metric) for run in self.runs}
        return {seed: value for seed, value in values.items() if value is not None}

    def interval(self, metric: str) -> Interval | None:
        """Mean over the seeds with Student's t interval; of a single run, the interval that it
        stated.
        """
        values = list(self.measured(metric).values())
        if len(values) != 1:
            return mean_interval(values) if values else None
        low, high = self.runs[0].results.intervals.get(metric, (float("nan"), float("nan")))
        return Interval(values[0], low, high, 1)

    def verdicts(self) -> dict[str, str]:
        """Metric → ``passed``, ``failed``, or how many of the seeds passed."""
        passed: dict[str, list[bool]] = {}
        for run in self.runs:
            for verdict in run.results.verdicts:
                passed.setdefault(f"{verdict.metric} {verdict.target}", []).append(verdict.passed)
        return {name: _outcome(seeds) for name, seeds in passed.items()}


@dataclass(frozen=True)
class MetricRow:
    """One metric: each column's interval, and each other column minus the first."""

    metric: str
    measured: tuple[Interval | None, ...]
    differences: tuple[Interval | None, ...]


@dataclass(frozen=True)
class Comparison:
    """What differs between the columns; rows that are the same in all of them are left out, metrics
    aside.
    """

    columns: tuple[Column, ...]
    settings: Mapping[str, tuple[str, ...]]
    metrics: tuple[MetricRow, ...]
    verdicts: Mapping[str, tuple[str, ...]]
    figures: Mapping[str, tuple[Path | None, ...]]


def find_run(name: str, reports: Path) -> StoredRun:
    """A run by its folder, by ``notebook/run-id``, or by a run id or its beginning that only one
    has. Raises ``RunError`` naming those that fit.
    """
    for folder in (Path(name), reports / name):
        if (folder / "results.json").is_file():
            return StoredRun(folder, read_results(folder))
    runs = stored_runs(reports)[0]
    fitting = [run for run in runs if run.folder.name.startswith(name)]
    exact = [run for run in fitting if run.folder.name == name]
    found = exact or fitting
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"{run.folder.parent.name}/{run.folder.name}" for run in found[:8])
    if found:
        raise RunError(f"run {name!r} is ambiguous: {names}; give notebook/run-id")
    raise RunError(f"there is no run {name!r} in {reports}; see: fledgling results --all")


def compare(runs: Sequence[StoredRun]) -> Comparison:
    """Runs in the order given. Raises ``RunError`` where there is nothing to compare."""
    columns = columns_of(runs)
    if len(columns) < 2:
        raise RunError(
            "these runs have the same configuration; give runs that differ in more than the seed"
        )
    settings = _rows([column.settings for column in columns])
    verdicts = _rows([column.verdicts() for column in columns])
    names = dict.fromkeys(
        metric for column in columns for run in column.runs for metric in run.results.metrics
    )
    return Comparison(
        columns=columns,
        settings={name: row for name, row in settings.items() if len(set(row)) > 1},
        metrics=tuple(metric_row(name, columns) for name in names),
        verdicts={name: row for name, row in verdicts.items() if len(set(row)) > 1},
        figures=_rows([_figures(column.runs[0].folder) for column in columns], missing=None),
    )


def columns_of(runs: Sequence[StoredRun]) -> tuple[Column, ...]:
    """The runs grouped by configuration, seeds aside, in the order in which each first came."""
    groups: dict[tuple[tuple[str, str], ...], list[StoredRun]] = {}
    for run in runs:
        groups.setdefault(tuple(settings_of(run).items()), []).append(run)
    columns = []
    for settings, group in groups.items():
        first = group[0].results
        seeds = f" and {len(group) - 1} more seeds" if len(group) > 1 else ""
        name = f"{first.notebook} {first.run_id}{seeds}"
        columns.append(Column(name, tuple(group), dict(settings)))
    return tuple(columns)


def settings_of(run: StoredRun) -> dict[str, str]:
    """What was chosen for a run, its seed aside: notebook, preset, parameters, machine, and the
    whole configuration by dotted key.
    """
    results, path = run.results, run.folder / "config.yaml"
    chosen: dict[str, Any] = {
        "notebook": results.notebook,
        "preset": results.preset,
        "parameter": {name: one for name, one in results.parameters.items() if name != "seed"},
        "environment": results.environment,
        **(read_yaml(path) if path.is_file() else {}),
    }
    return dict(_flat(chosen))


def metric_row(metric: str, columns: Sequence[Column]) -> MetricRow:
    """One metric over the columns."""
    measured = tuple(column.interval(metric) for column in columns)
    differences = tuple(between(column, columns[0], metric) for column in columns[1:])
    return MetricRow(metric, measured, differences)


def between(ours: Column, theirs: Column, metric: str) -> Interval | None:
    """ours − theirs: seed by seed where they share two or more, else from the two intervals;
    without either the difference has no limits.
    """
    mine, other = ours.measured(metric), theirs.measured(metric)
    shared = sorted(mine.keys() & other.keys())
    if len(shared) >= 2:
        return paired_difference([mine[seed] for seed in shared], [other[seed] for seed in shared])
    one, two = ours.interval(metric), theirs.interval(metric)
    return None if one is None or two is None else difference(one, two)


def _rows(columns: Sequence[Mapping[str, Any]], missing: Any = "–") -> dict[str, tuple[Any, ...]]:
    """Name → its value in each column."""
    names = dict.fromkeys(name for column in columns for name in column)
    return {name: tuple(column.get(name, missing) for column in columns) for name in names}


def _figures(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted((folder / "figures").glob("*.png"))}


def _outcome(seeds: Sequence[bool]) -> str:
    if all(seeds) or not any(seeds):
        return "passed" if seeds[0] else "failed"
    return f"passed for {sum(seeds)} of {len(seeds)} seeds"


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """A nested mapping as (dotted key, value as text)."""
    found = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", str(value)))
    return found
