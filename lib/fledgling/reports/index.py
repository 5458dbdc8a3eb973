"""``reports/index.html``: every notebook with its newest run on top, rebuilt from the run
directories alone.
"""

from __future__ import annotations

import base64
import contextlib
import io
import logging
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from fledgling.core.errors import FledglingError
from fledgling.core.files import write_text
from fledgling.core.paths import REPORTS
from fledgling.reports.notebooks import opening, read_notebook
from fledgling.reports.pages import page
from fledgling.reports.results import StoredRun, stored_runs

_LOG = logging.getLogger(__name__)
_THUMBNAIL = (640, 480)  # pixels, twice what is shown: sharp on dense screens


@dataclass(frozen=True)
class Card:
    """One notebook on the index: the question it asks and the answer it gives, a figure (PNG,
    base64), its runs with the newest first, and the pages of its sweeps.
    """

    title: str
    answer: str
    thumbnail: str
    runs: list[StoredRun]
    sweeps: list[str]


def write_index(reports: Path = REPORTS) -> Path:
    """Write index.html over all finished runs and return its path. Runs that cannot be read are
    listed with the reason.
    """
    finished, broken = stored_runs(reports)
    runs: dict[str, list[StoredRun]] = {}
    for run in finished:
        runs.setdefault(run.folder.parent.name, []).append(run)
    cards = [make_card(history, reports) for _, history in sorted(runs.items())]
    newest = [history[0].results for history in runs.values()]
    path = reports / "index.html"
    write_text(path, page("index.html", cards=cards, broken=broken, newest=newest))
    return path


def make_card(history: list[StoredRun], reports: Path) -> Card:
    """The card of one notebook; its name stands for a question that cannot be read."""
    run = history[0]
    title = answer = ""
    with contextlib.suppress(FledglingError):
        title, answer = opening(read_notebook(run.folder / "notebook.ipynb"))
    pages = sorted(run.folder.parent.glob("sweep-*/report.html"))
    sweeps = [path.relative_to(reports).as_posix() for path in pages]
    return Card(title or run.results.notebook, answer, thumbnail(run.folder), history, sweeps)


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
