"""From outcomes to evidence: assigned tasks, in the order of assignment, each once and for good.

The order must not depend on what came out: were tasks taken as they finish, a variant that fails
slowly would look good for a while. So the next row is always the next *assigned* task: it waits
until its outcome is in silver, or until it is overdue and counts as failed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pandas

from fledgling.auto_learning.clock import stamp, unstamp
from fledgling.auto_learning.medallion.engine import engine, list_of
from fledgling.auto_learning.medallion.ledger import SILVER
from fledgling.auto_learning.medallion.pipeline import ledger_of
from fledgling.auto_learning.promotion.evidence import Evidence, collect_rows
from fledgling.auto_learning.settings import AutoLearningSection
from fledgling.auto_learning.workspace import Workspace
from fledgling.core.database import transaction


def gather(
    workspace: Workspace, section: AutoLearningSection, test: int, now: datetime
) -> Evidence:
    """Append what has become known to the test's evidence, and return all of it."""
    waiting = workspace.store.execute(
        "SELECT * FROM assignments WHERE test = ? AND counts AND number > coalesce("
        " (SELECT max(assignment) FROM evidence WHERE test = ?), 0) ORDER BY number",
        (test, test),
    ).fetchall()
    outcomes = _outcomes(workspace, section, waiting)
    overdue = stamp(now - timedelta(seconds=section.gate.overdue_s))
    position = workspace.store.execute(
        "SELECT count(*) FROM evidence WHERE test = ?", (test,)
    ).fetchone()[0]
    with transaction(workspace.store):
        for row in waiting:
            outcome = outcomes.get(row["task_id"])
            if outcome is None and row["at"] > overdue:
                break
            _append(workspace.store, row, outcome, position)
            position += 1
    return stored(workspace, test)


def stored(workspace: Workspace, test: int, tasks: int | None = None) -> Evidence:
    """The first ``tasks`` rows of a test's evidence, or all."""
    rows = workspace.store.execute(
        "SELECT task_id, variant, share, area, completed, quality, seconds FROM evidence"
        " WHERE test = ? ORDER BY position LIMIT ?",
        (test, -1 if tasks is None else tasks),
    )
    return collect_rows([{**row, "completed": bool(row["completed"])} for row in rows])


def _append(
    store: sqlite3.Connection, row: sqlite3.Row, outcome: Mapping[str, Any] | None, position: int
) -> None:
    completed, quality, seconds = (
        (False, None, None)
        if outcome is None
        else (bool(outcome["success"]), outcome["quality"], outcome["seconds"])
    )
    store.execute(
        "INSERT INTO evidence (test, position, assignment, task_id, variant, share, area,"
        " completed, quality, seconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            row["test"],
            position,
            row["number"],
            row["task_id"],
            row["variant"],
            row["share"],
            row["area"],
            completed,
            quality,
            seconds,
        ),
    )


def _outcomes(
    workspace: Workspace, section: AutoLearningSection, waiting: list[sqlite3.Row]
) -> dict[str, dict[str, Any]]:
    """What silver knows of the waiting tasks: by task id, success, quality and seconds."""
    if not waiting:
        return {}
    ledger = ledger_of(workspace)
    # a day of grace for senders whose clocks run behind
    since = (unstamp(waiting[0]["at"]) - timedelta(days=1)).date().isoformat()
    parts = [part for part in ledger.parts(SILVER) if part.day >= since]
    if not parts:
        return {}
    with engine(section.medallion, workspace.tables / "spill") as duck:
        ids = pandas.DataFrame({"task_id": [row["task_id"] for row in waiting]})
        duck.register("waiting", ids)
        rows = duck.execute(
            "SELECT task_id, success, quality, seconds"
            f" FROM read_parquet({list_of(ledger.files(parts))}) SEMI JOIN waiting"
            " USING (task_id)"
        ).fetchall()
    names = ("success", "quality", "seconds")
    return {task: dict(zip(names, values, strict=True)) for task, *values in rows}
