"""What happened, one JSON line an event.

Events are written to the store in the transaction of what they tell of, so that none is lost and
none tells of what did not happen; ``mirror`` then appends to ``events.jsonl`` what is missing
there.
"""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from fledgling.auto_learning.clock import stamp
from fledgling.auto_learning.workspace import Workspace
from fledgling.core.run_store import finite


def tell(workspace: Workspace, now: datetime, event: str, **values: Any) -> None:
    """Note an event, in the caller's transaction where there is one."""
    workspace.store.execute(
        'INSERT INTO events (at, event, "values") VALUES (?, ?, ?)',
        (stamp(now), event, json.dumps(finite(values), ensure_ascii=False)),
    )


def events(workspace: Workspace, *, last: int = 0, kind: str = "") -> list[dict[str, Any]]:
    """The events in order, the ``last`` ones or all, of one kind or of all."""
    rows = workspace.store.execute(
        "SELECT number, at, event, \"values\" FROM events WHERE ? = '' OR event = ?"
        " ORDER BY number DESC LIMIT ?",
        (kind, kind, last or -1),
    ).fetchall()
    return [_object(row) for row in reversed(rows)]


def mirror(workspace: Workspace) -> Path:
    """Append to events.jsonl what the store has beyond it, forced to disk. Half a line, left by a
    kill, is taken off first.
    """
    path = workspace.folder / "events.jsonl"
    path.touch()
    with path.open("r+b") as file:
        text = file.read()
        whole = text.rfind(b"\n") + 1
        file.truncate(whole)
        file.seek(whole)
        for row in workspace.store.execute(
            'SELECT number, at, event, "values" FROM events WHERE number > ? ORDER BY number',
            (_last_number(text[:whole]),),
        ):
            file.write((json.dumps(_object(row), ensure_ascii=False) + "\n").encode())
        file.flush()
        os.fsync(file.fileno())
    return path


def _last_number(text: bytes) -> int:
    lines = text.splitlines()
    return int(json.loads(lines[-1])["number"]) if lines else 0


def _object(row: Any) -> dict[str, Any]:
    head = {"number": row["number"], "at": row["at"], "event": row["event"]}
    return head | json.loads(row["values"]) | head
