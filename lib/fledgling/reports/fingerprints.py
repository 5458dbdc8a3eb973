"""One short name for everything that a run depends on, so that an unchanged run is not repeated."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from fledgling.core.paths import CONFIGS, DATA, ROOT

_LIBRARY = ROOT / "lib" / "fledgling"


def fingerprint(notebook: NotebookNode, parameters: Mapping[str, Any]) -> str:
    """Six hexadecimal digits over the notebook's sources, the library, configs, data and the
    parameters.

    A parameter that names a file counts with that file's content.
    """
    digest = hashlib.sha256()
    for cell in notebook.cells:
        tags = ",".join(cell.metadata.get("tags", []))
        digest.update(f"{cell.cell_type}|{tags}|{cell.source}\n".encode())
    digest.update(json.dumps(dict(parameters), sort_keys=True, default=str).encode())
    digest.update(_digest_files(_named_files(parameters.values())))
    digest.update(_project_digest())
    return digest.hexdigest()[:6]


@cache
def _project_digest() -> bytes:
    """The library, the configs and the data, as they are when this process first asks."""
    files = [
        *_LIBRARY.rglob("*.py"),
        *CONFIGS.rglob("*.yaml"),
        *(path for path in DATA.rglob("*") if path.is_file()),
    ]
    return _digest_files(files)


def _digest_files(files: Iterable[Path]) -> bytes:
    digest = hashlib.sha256()
    for path in sorted(files):
        name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name
        digest.update(f"{name}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.digest()


def _named_files(values: Iterable[Any]) -> list[Path]:
    return [Path(value) for value in values if isinstance(value, str) and _is_file(value)]


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # a sentence, too long for a path or with a NUL in it
        return False
