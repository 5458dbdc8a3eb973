"""``reports/index.html``: every notebook with its newest run on top, rebuilt from the run
directories alone.
"""

from __future__ import annotations

import base64
import io
import logging
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from fledgling.core.errors import FledglingError
from fledgling.core.files import write_text
from fledgling.core.paths import REPORTS
from fledgling.reports.notebooks import question, read_notebook
from fledgling.reports.pages import page
from fledgling.reports.results import StoredRun, stored_runs

_LOG = logging.getLogger(__name__)
_THUMBNAIL = (640, 480)  # pixels, twice what is shown: sharp on dense screens


@dataclass(frozen=True)
class Card:
    """One notebook on the index: the question it asks, a figure (PNG, base64), its runs with the
    newest first.
    """

    title: str
    thumbnail: str
    runs: list[StoredRun]


def write_index(reports: Path = REPORTS) -> Path:
    """Write index.html over all finished runs and return its path. Runs that cannot be read are
    listed with the reason.
    """
    finished, broken = stored_runs(reports)
    runs: dict[str, list[StoredRun]] = {}
    for run in finished:
        runs.setdefault(run.folder.parent.name, []).append(run)
    cards = [
        Card(title_of(history[0]), thumbnail(history[0].folder), history)
        for _, history in sorted(runs.items())
    ]
    path = reports / "index.html"
    write_text(path, page("index.html", cards=cards, broken=broken, summary=summarise(cards)))
    return path


def summarise(cards: list[Card]) -> str:
    """One line over the newest runs: how many notebooks, verdicts and failures."""
    newest = [card.runs[0].results for card in cards]
    total = sum(len(results.verdicts) for results in newest)
    passed = sum(results.passed for results in newest)
    stopped = sum(results.status != "ok" for results in newest)
    notebooks = "1 notebook" if len(newest) == 1 else f"{len(newest)} notebooks"
    line = f"{notebooks} · {passed} of {total} verdicts passed"
    return f"{line} · {stopped} did not finish" if stopped else line


def title_of(run: StoredRun) -> str:
    """The question that the notebook asks; its name where the notebook cannot be read."""
    try:
        return question(read_notebook(run.folder / "notebook.ipynb")) or run.results.notebook
    except FledglingError:
        return run.results.notebook


def thumbnail(folder: Path) -> str:
    """The run's cover figure (``cover.png``, else the first one saved), made small, as base64;
    empty where there is none.
    """
    figures = list((folder / "figures").glob("*.png"))
    figures.sort(key=lambda path: (path.stem != "cover", path.stat().st_mtime_ns, path.name))
    for path in figures:
        try:
            return small_png(path)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            _LOG.warning("no thumbnail of %s: %s", path, error)
    return ""


def small_png(path: Path) -> str:
    """A PNG shrunk to thumbnail size, base64-encoded."""
    with Image.open(path) as image:
        small = image.convert("RGB")
    small.thumbnail(_THUMBNAIL)
    buffer = io.BytesIO()
    small.save(buffer, format="PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
