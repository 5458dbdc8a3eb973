"""Finished runs, as the runner leaves them."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from fledgling.core.files import write_json

RESULTS = {
    "status": "ok",
    "preset": "quick",
    "seed": 0,
    "started": "2026-11-21T00:00:00Z",
    "seconds": 71.2,
    "parameters": {},
    "environment": {"device": "cpu"},
    "metrics": {},
    "verdicts": [],
}


@pytest.fixture(scope="session")
def store_run() -> Callable[..., Path]:
    """``store_run(reports, notebook, run_id, **fields)``: a run directory with these results."""

    def store(
        reports: Path, notebook: str, run_id: str, *, title: str = "A question?", **fields
    ) -> Path:
        folder = reports / notebook / run_id
        (folder / "figures").mkdir(parents=True)
        results = {"notebook": notebook, "run_id": run_id, **RESULTS, **fields}
        write_json(folder / "results.json", results)
        heading = nbformat.v4.new_markdown_cell(f"# {title}")
        nbformat.write(nbformat.v4.new_notebook(cells=[heading]), folder / "notebook.ipynb")
        return folder

    return store
