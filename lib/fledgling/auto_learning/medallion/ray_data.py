"""The tables in Ray Data, for a team whose outcomes outgrow one machine. The pipeline stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fledgling.auto_learning.medallion.ledger import LAYERS
from fledgling.auto_learning.medallion.pipeline import ledger_of
from fledgling.auto_learning.workspace import Workspace
from fledgling.core.errors import DataError, MissingExtra

if TYPE_CHECKING:
    import ray.data


def open_table(workspace: Workspace, layer: str) -> ray.data.Dataset:
    """A table as a Ray dataset, of the files that count now. Raises ``MissingExtra`` without Ray,
    ``DataError`` for a table that does not exist or is empty.
    """
    if layer not in LAYERS:
        raise DataError(f"there is no table {layer!r}; there are {', '.join(LAYERS)}")
    ledger = ledger_of(workspace)
    parts = ledger.parts(layer)
    if not parts:
        raise DataError(f"{layer} has no rows yet; run `fledgling auto collect`")
    try:
        import ray.data
    except ImportError as error:
        raise MissingExtra("ray", "pip install 'ray[data]'", "Ray Data") from error
    # the day is a column of every file too, so that its folder need not be read as one
    return ray.data.read_parquet(ledger.files(parts), partitioning=None)
