"""Run directories: filled under a temporary name, completed, then renamed, so that none is ever
half-written.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil

from fledgling.core.errors import RunError
from fledgling.core.files import read_yaml, write_text
from fledgling.core.layers import validate
from fledgling.core.runtime import Runtime, resolve_device, resolve_dtype
from fledgling.core.settings import CoreSection
from fledgling.reports.notebooks import read_notebook
from fledgling.reports.results import Results, succeeded


@contextlib.contextmanager
def storing(folder: Path) -> Iterator[None]:
    """Turn a full disk or a read-only folder into a ``RunError`` that says so."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"cannot write to {folder}: {error.strerror or error}; "
            "free some space or choose another folder with --reports"
        ) from error


def open_folder(reports: Path, notebook: str, run_id: str) -> Path:
    """A fresh working folder beside the run's final place; what killed runs left is removed."""
    parent = reports / notebook
    work = parent / f".{run_id}.{os.getpid()}.tmp"
    with storing(reports):
        parent.mkdir(parents=True, exist_ok=True)
        clear_abandoned(parent)
        shutil.rmtree(work, ignore_errors=True)
        (work / "figures").mkdir(parents=True)
        (work / "steps.jsonl").touch()
    return work


def clear_abandoned(parent: Path) -> None:
    """Remove working folders whose process is gone; put an earlier run back that a kill caught
    between two names.
    """
    for left in [*parent.glob(".*.tmp"), *parent.glob(".*.earlier")]:
        run_id, owner, kind = left.name[1:].rsplit(".", 2)
        if not owner.isdigit() or psutil.pid_exists(int(owner)):
            continue
        if kind == "earlier" and not (parent / run_id).exists():
            left.rename(parent / run_id)
        else:
            shutil.rmtree(left, ignore_errors=True)


def publish(work: Path, final: Path) -> Path:
    """Rename ``work`` to ``final``. An earlier folder there stays until the new one stands, and
    returns on failure.
    """
    earlier = final.with_name(f".{final.name}.{os.getpid()}.earlier")
    if final.exists():
        final.rename(earlier)
    try:
        work.rename(final)
    except BaseException:
        if earlier.exists():
            earlier.rename(final)
        raise
    shutil.rmtree(earlier, ignore_errors=True)
    return final


def final_folder(reports: Path, notebook: str, run_id: str, status: str) -> Path:
    """Where a run lands. One that failed never replaces an earlier one of the same inputs that
    succeeded.
    """
    final = reports / notebook / run_id
    if status != "ok" and succeeded(final):
        return final.with_name(f"{run_id}-{status}")
    return final


def environment(work: Path, *, threads: int, seed: int) -> dict[str, Any]:
    """Where the run computed, from the configuration that it saved. Raises ``FledglingError`` where
    that cannot be read.
    """
    path = work / "config.yaml"
    saved = read_yaml(path).get("core", {}) if path.is_file() else {}
    chosen = validate(CoreSection, {"device": "auto", "dtype": "auto", "threads": 0, **saved})
    device = resolve_device(chosen.device)
    dtype = resolve_dtype(chosen.dtype, device)
    return Runtime(device, dtype, chosen.threads or threads, seed).describe()


def settle_notebook(
    work: Path, final: Path, source: Path, results: Results
) -> nbformat.NotebookNode:
    """Make the executed notebook true: final paths in place of temporary ones, and the status that
    was decided.

    A notebook that a kill cut in two is replaced by its source, without outputs.
    """
    path = work / "notebook.ipynb"
    try:
        notebook = read_notebook(path)
    except RunError:
        notebook = read_notebook(source)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
    for cell in notebook.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.source = cell.source.replace(str(work), str(final))
        status = cell.metadata.get("papermill", {}).get("status")
        if status == "running" and results.status != "ok":
            cell.metadata.papermill.status = "interrupted"
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("widgets", None)
    notebook.metadata["fledgling"] = results.model_dump(include={"run_id", "status", "error"})
    write_text(path, nbformat.writes(notebook))
    return notebook
