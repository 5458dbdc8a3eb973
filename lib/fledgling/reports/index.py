"""``reports/index.html``: every notebook with its newest run on top, rebuilt from the run
directories alone.
"""

from __future__ import annotations

import base64
import io
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from PIL import Image

from fledgling.core.errors import FledglingError
from fledgling.core.files import read_json, write_text
from fledgling.core.paths import REPORTS
from fledgling.reports.notebooks import question, read_notebook
from fledgling.reports.pages import chips, duration, page, verdict_html

_LOG = logging.getLogger(__name__)
_THUMBNAIL = (640, 480)  # pixels, twice what is shown: sharp on dense screens
_NEEDED = {
    "notebook",
    "run_id",
    "status",
    "preset",
    "seed",
    "started",
    "seconds",
    "environment",
    "metrics",
    "verdicts",
}


@dataclass(frozen=True)
class StoredRun:
    """A finished run directory and its results."""

    folder: Path
    results: Mapping[str, Any]

    @property
    def passed(self) -> int:
        return sum(bool(verdict["passed"]) for verdict in self.results["verdicts"])


def write_index(reports: Path = REPORTS) -> Path:
    """Write index.html over all finished runs and return its path."""
    path = reports / "index.html"
    write_text(path, page("Fledgling reports", index_body(stored_runs(reports), reports)))
    return path


def stored_runs(reports: Path) -> dict[str, list[StoredRun]]:
    """Notebook → its finished runs, the newest first. What is not a finished run is left out."""
    found: dict[str, list[StoredRun]] = {}
    for path in sorted(reports.glob("[!.]*/[!.]*/results.json")):
        try:
            results = read_json(path)
        except FledglingError as error:
            _LOG.warning("left out of the index: %s", error)
            continue
        if isinstance(results, dict) and results.keys() >= _NEEDED:
            found.setdefault(path.parent.parent.name, []).append(StoredRun(path.parent, results))
    for runs in found.values():
        runs.sort(key=lambda run: run.results["started"], reverse=True)
    return found


def index_body(runs: Mapping[str, Sequence[StoredRun]], reports: Path) -> str:
    """The page between header and footer: a summary line and one card a notebook."""
    newest = [history[0] for history in runs.values()]
    total = sum(len(run.results["verdicts"]) for run in newest)
    passed = sum(run.passed for run in newest)
    broken = sum(run.results["status"] != "ok" for run in newest)
    summary = (
        f"{len(newest)} notebook{'' if len(newest) == 1 else 's'} · {passed} of {total} verdicts passed"
        + (f" · {broken} did not finish" if broken else "")
    )
    head = (
        f'<header class="top"><h1>Fledgling reports</h1><p>{summary}</p>'
        f"<p>A verdict holds one measured number against a target that was set beforehand.</p></header>"
    )
    cards = "\n".join(card(history, reports) for _, history in sorted(runs.items()))
    return head + (cards or "<p>No run yet. Make one with <code>make report</code>.</p>")


def card(history: Sequence[StoredRun], reports: Path) -> str:
    """One notebook: thumbnail, question, labels of the newest run, verdicts to unfold, and earlier
    runs.
    """
    run, results = history[0], history[0].results
    name, link = str(results["notebook"]), report_link(history[0], reports)
    error = f'<p class="error">{escape(str(results["error"]))}</p>' if results.get("error") else ""
    table = verdict_html(results)
    missed = run.passed < len(results["verdicts"])
    verdicts = (
        f"<details{' open' if missed else ''}><summary>Verdicts</summary>{table}</details>"
        if table
        else ""
    )
    return (
        f'<section class="card" id="{escape(name)}">\n'
        f'<a class="thumbnail" href="{link}">{thumbnail(run, title_of(run))}</a>\n'
        f'<div><h2><a href="{link}">{escape(title_of(run))}</a></h2>\n<p class="quiet">{escape(name)}</p>'
        f"{chips(results)}{error}{verdicts}{earlier_runs(history[1:], reports)}</div>\n</section>"
    )


def earlier_runs(runs: Sequence[StoredRun], reports: Path) -> str:
    """The history of a notebook, the newest first."""
    rows = "".join(
        f'<tr><td><a href="{report_link(run, reports)}">{escape(run.folder.name)}</a></td>'
        f"<td>{escape(str(run.results['started']).replace('T', ' ').replace('Z', ''))}</td>"
        f"<td>{escape(str(run.results['status']))}</td>"
        f'<td class="number">{run.passed} / {len(run.results["verdicts"])}</td>'
        f'<td class="number">{duration(run.results["seconds"])}</td></tr>'
        for run in runs
    )
    if not rows:
        return ""
    return (
        f"<details><summary>Earlier runs ({len(runs)})</summary>"
        '<div class="wide"><table><thead><tr><th>run</th><th>started, UTC</th><th>status</th>'
        f'<th class="number">passed</th><th class="number">time</th></tr></thead><tbody>{rows}</tbody></table>'
        "</div></details>"
    )


def report_link(run: StoredRun, reports: Path) -> str:
    return escape((run.folder / "report.html").relative_to(reports).as_posix())


def title_of(run: StoredRun) -> str:
    """The question that the notebook asks; its name where the notebook cannot be read."""
    try:
        return question(read_notebook(run.folder / "notebook.ipynb")) or run.results["notebook"]
    except (FledglingError, json.JSONDecodeError):
        return str(run.results["notebook"])


def thumbnail(run: StoredRun, title: str) -> str:
    """The run's cover figure (``cover.png``, else the first one saved), made small and embedded."""
    figures = sorted(
        (run.folder / "figures").glob("*.png"),
        key=lambda path: (path.stat().st_mtime_ns, path.name),
    )
    covers = [path for path in figures if path.stem == "cover"]
    for path in [*covers, *figures]:
        try:
            data = small_png(path)
        except (OSError, Image.DecompressionBombError) as error:
            _LOG.warning("no thumbnail of %s: %s", path, error)
            continue
        return f'<img alt="A figure of: {escape(title)}" src="data:image/png;base64,{data}">'
    return '<span class="none">no figure</span>'


def small_png(path: Path) -> str:
    """A PNG shrunk to thumbnail size, base64-encoded."""
    with Image.open(path) as image:
        small = image.convert("RGB")
        small.thumbnail(_THUMBNAIL)
        buffer = io.BytesIO()
        small.save(buffer, format="PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
