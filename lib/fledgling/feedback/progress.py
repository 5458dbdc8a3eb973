"""A training on disk: one at a time, resumed after a kill, and published whole or not at all.

``folder`` is what the training makes. Its progress lies beside it under a hidden name and goes when
the folder has appeared.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from fledgling.core.errors import DataError, ModelError, RunError
from fledgling.core.files import read_json, write_json

RECORD = "training.json"
_STATE = "trainer_state.json"  # the trainer writes it last: with it, a checkpoint is whole


@contextmanager
def claimed(folder: Path) -> Iterator[Path]:
    """The progress folder of the training that makes ``folder``, for as long as the block lasts.

    Raises ``RunError`` when another trainer is at it, ``ModelError`` when nothing can be written.
    """
    progress = folder.parent / f".{folder.name}.progress"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / f".{folder.name}.lock", timeout=0):
            progress.mkdir(exist_ok=True)
            yield progress
    except Timeout as error:
        raise RunError(
            f"another trainer is already making {folder}; wait for it, or train into another folder"
        ) from error
    except OSError as error:
        raise ModelError(
            f"the training of {folder} cannot be written: {error}; what was trained so far is kept,"
            " so the same command goes on from there once there is room"
        ) from error


def begin(progress: Path, mark: str) -> None:
    """Keep the progress of the same training, drop that of any other. ``mark`` is the training's
    fingerprint.
    """
    path = progress / RECORD
    try:
        same = path.is_file() and read_json(path).get("fingerprint") == mark
    except DataError:
        same = False
    if same:
        return
    for old in progress.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    write_json(path, {"fingerprint": mark})


def newest_checkpoint(progress: Path) -> Path | None:
    """The last whole checkpoint; one cut short by a kill is passed over."""
    whole = [path for path in progress.glob("checkpoint-*") if _is_whole(path)]
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def _is_whole(checkpoint: Path) -> bool:
    try:
        return bool(read_json(checkpoint / _STATE))
    except DataError:
        return False


def finished(folder: Path, mark: str) -> dict[str, Any] | None:
    """The record of the training that made ``folder``, None when there is no folder yet.

    Raises ``ModelError`` when the folder comes from another training: it is not written over.
    """
    if not folder.exists():
        return None
    try:
        record = read_json(folder / RECORD)
    except DataError:
        record = {}
    if mark not in (record.get("fingerprint"), record.get("whole")):
        raise ModelError(
            f"{folder} exists and comes from another training; give another folder, or move it away"
        )
    return record
