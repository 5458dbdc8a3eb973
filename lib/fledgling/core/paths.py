"""Where things are: resolved from the package, never from the current folder."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CONFIGS = ROOT / "configs"
DATA = ROOT / "data"
NOTEBOOKS = ROOT / "notebooks"
REPORTS = ROOT / "reports"


def home() -> Path:
    """The cache folder for converted models: ``FLEDGLING_HOME``, else the user's cache folder."""
    chosen = os.environ.get("FLEDGLING_HOME")
    if chosen:
        return Path(chosen).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "fledgling"
