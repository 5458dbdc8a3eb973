"""A run directory: config.yaml, steps.jsonl, results.json, figures/.

The only hand-off from an experiment to a report.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from pydantic import BaseModel

from fledgling.core.errors import DataError, RunError
from fledgling.core.files import storing, write_atomically, write_json, write_text
from fledgling.core.layers import to_yaml
from fledgling.core.paths import REPORTS
from fledgling.core.records import Interval, StepRecord, Verdict


class RunStore:
    """Where one notebook run writes. Created empty; steps are appended, the rest appears whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.figures = folder / "figures"
        try:
            self.figures.mkdir(parents=True, exist_ok=True)
            (folder / "steps.jsonl").write_text("", encoding="utf-8")
        except OSError as error:
            raise RunError(
                f"cannot write to {folder}: {error.strerror}; choose another folder with out="
            ) from error

    @classmethod
    def open(cls, out: str, notebook: str, config: BaseModel) -> RunStore:
        """The run folder ``out``; empty means reports/<notebook>/scratch, for work in
        JupyterLab.
        """
        store = cls(Path(out) if out else REPORTS / notebook / "scratch")
        write_text(store.folder / "config.yaml", to_yaml(config))
        return store

    def append(self, record: StepRecord) -> None:
        """Add one line to steps.jsonl, flushed: a killed run keeps every step it made."""
        path = self.folder / "steps.jsonl"
        with storing(path), path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(finite(record.to_json()), ensure_ascii=False) + "\n")

    def save_figure(self, figure: Figure, name: str) -> Figure:
        """Write figures/<name>.png and hand the figure back, so that the cell shows it."""
        write_atomically(
            self.figures / f"{name}.png",
            lambda path: figure.savefig(path, format="png", dpi=130, bbox_inches="tight"),
        )
        return figure

    def finish(
        self, metrics: Mapping[str, float | Interval | None], verdicts: Iterable[Verdict]
    ) -> None:
        """Write metrics, intervals and verdicts; the runner adds status, times and parameters
        around them.
        """
        means: dict[str, float | None] = {}
        intervals: dict[str, tuple[float, float]] = {}
        for name, value in metrics.items():
            if isinstance(value, Interval) and value.limits:
                intervals[name] = value.limits
            means[name] = value.mean if isinstance(value, Interval) else value
        results = {
            "metrics": means,
            "intervals": intervals,
            "verdicts": [verdict.to_json() for verdict in verdicts],
        }
        write_json(self.folder / "results.json", finite(results))


def finite(value: Any) -> Any:
    """The same value with NaN and infinities as ``None``: JSON has no such numbers."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if hasattr(value, "item"):  # NumPy and torch scalars
        return finite(value.item())
    return value


def read_steps(folder: Path) -> list[dict[str, Any]]:
    """The steps of a run; a last line cut short by a kill is left out."""
    path = folder / "steps.jsonl"
    if not path.is_file():
        raise DataError(f"{folder} has no steps.jsonl; is it a run directory?")
    with path.open(encoding="utf-8") as file:
        lines = file.readlines()  # not splitlines(): what people say may hold other line breaks
    steps = []
    for number, line in enumerate(lines, start=1):
        try:
            steps.append(json.loads(line))
        except json.JSONDecodeError as error:
            if number < len(lines):
                raise DataError(f"{path} line {number} is not valid JSON") from error
    return steps
