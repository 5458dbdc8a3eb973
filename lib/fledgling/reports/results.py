"""results.json read into a record: what a run measured, and the verdicts on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, FiniteFloat, ValidationError

from fledgling.core.errors import DataError, RunError
from fledgling.core.files import read_json
from fledgling.core.paths import REPORTS

_SCRATCH = "scratch"  # where notebooks opened by hand write: never a finished run


def _time(text: str) -> str:
    datetime.fromisoformat(text)
    return text


Number = FiniteFloat | None  # ``None``: not measured
Limits = tuple[FiniteFloat, FiniteFloat]
Time = Annotated[str, AfterValidator(_time)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class StoredVerdict(_Record):
    """A verdict as it stands in results.json."""

    metric: str
    target: str
    measured: Number
    passed: bool
    interval: Limits | None = None


class Measured(_Record):
    """What a notebook writes by itself."""

    metrics: dict[str, Number] = {}
    intervals: dict[str, Limits] = {}
    verdicts: list[StoredVerdict] = []


class Results(_Record):
    """A finished run. ``started`` is UTC, ISO 8601; ``error`` says in one line why it failed."""

    notebook: str
    run_id: str
    status: Literal["ok", "failed", "timeout"]
    preset: str
    seed: int
    started: Time
    seconds: FiniteFloat
    parameters: dict[str, Any]
    environment: dict[str, Any]
    metrics: dict[str, Number]
    intervals: dict[str, Limits] = {}
    verdicts: list[StoredVerdict]
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The fields of results.json; intervals and error only where there are any."""
        return self.model_dump(mode="json", exclude_defaults=True)

    @property
    def passed(self) -> int:
        """How many verdicts passed."""
        return sum(verdict.passed for verdict in self.verdicts)


@dataclass(frozen=True)
class StoredRun:
    """A finished run directory and its results."""

    folder: Path
    results: Results


@dataclass(frozen=True)
class BrokenRun:
    """A run directory whose results cannot be read, and why."""

    folder: Path
    reason: str


Schema = TypeVar("Schema", Measured, Results)


def read_results(folder: Path, schema: type[Schema] = Results) -> Schema:
    """The results.json of a run directory. Raises ``DataError`` naming the field that is wrong."""
    path = folder / "results.json"
    try:
        return schema.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = f"{first['msg'][0].lower()}{first['msg'][1:]}"
        raise DataError(f"{path}: {f'{place}: ' if place else ''}{message}") from error


def stored_runs(reports: Path = REPORTS) -> tuple[list[StoredRun], list[BrokenRun]]:
    """Every finished run below ``reports``, the newest first, and those that cannot be read."""
    finished: list[StoredRun] = []
    broken: list[BrokenRun] = []
    for path in sorted(reports.glob("[!.]*/[!.]*/results.json")):
        folder = path.parent
        if folder.name == _SCRATCH:
            continue
        try:
            finished.append(StoredRun(folder, read_results(folder)))
        except DataError as error:
            broken.append(BrokenRun(folder, str(error)))
    finished.sort(key=lambda run: run.results.started, reverse=True)
    return finished, broken


def newest(notebook: str, reports: Path = REPORTS) -> StoredRun:
    """The newest run of a notebook. Raises ``RunError`` when there is none."""
    for run in stored_runs(reports)[0]:
        if run.folder.parent.name == notebook:
            return run
    raise RunError(
        f"{notebook} has no run in {reports}; make one with: fledgling report {notebook}"
    )


def succeeded(folder: Path) -> bool:
    """True where a finished run with status ``ok`` stands."""
    try:
        return read_results(folder).status == "ok"
    except DataError:
        return False
