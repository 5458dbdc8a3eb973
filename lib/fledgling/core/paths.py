"""Where things are: resolved from the package, never from the current folder."""

from __future__ import annotations

import os
import re
from pathlib import Path

from fledgling.core.errors import RunError

ROOT = Path(__file__).resolve().parents[3]
CONFIGS = ROOT / "configs"
DATA = ROOT / "data"
NOTEBOOKS = ROOT / "notebooks"
REPORTS = ROOT / "reports"

_PLAIN_NAME = re.compile(r"\w([\w .-]{0,98}[\w-])?")


def home() -> Path:
    """The cache folder for converted models: ``FLEDGLING_HOME``, else the user's cache folder."""
    chosen = os.environ.get("FLEDGLING_HOME")
    if chosen:
        return Path(chosen).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "fledgling"


def plain_name(name: str, what: str) -> str:
    """``name`` where it can be the name of one file or folder on any system. Raises ``RunError``
    otherwise: what becomes a path must not lead elsewhere.

    >>> plain_name("my notebook-2", "notebook")
    'my notebook-2'
    """
    if _PLAIN_NAME.fullmatch(name) is None:
        raise RunError(
            f"{what} {name!r} cannot be the name of a folder; use letters, digits, '_' and '-',"
            " inside also '.' and spaces, at most 100 characters"
        )
    return name
