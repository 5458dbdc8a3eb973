"""Bronze, silver, gold: one run of all layers, and what mends them.

Each layer takes what is new, writes new files and names them in one transaction. A run that is
killed between two layers, or within one, is finished by the next; a run with nothing new changes
nothing.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas

from fledgling.auto_learning.collector import summary
from fledgling.auto_learning.medallion import bronze, gold, silver
from fledgling.auto_learning.medallion.engine import engine, list_of
from fledgling.auto_learning.medallion.ledger import (
    BRONZE,
    DAILY,
    GOLD,
    LAYERS,
    QUARANTINE,
    SILVER,
    Ledger,
)
from fledgling.auto_learning.medallion.rules import typing_sql
from fledgling.auto_learning.settings import AutoLearningSection
from fledgling.auto_learning.workspace import Workspace
from fledgling.core.database import transaction
from fledgling.core.errors import DataError

log = logging.getLogger(__name__)

LOCK = "pipeline"


@dataclass(frozen=True)
class Run:
    """What one run did: lines received, lines refined, days of gold written, files swept, what had
    to be made again, and fields that senders have begun to send and that are not read.
    """

    received: int
    refined: int
    days: tuple[str, ...]
    swept: int
    mended: str = ""
    new_fields: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.received or self.refined or self.days or self.mended)


def ledger_of(workspace: Workspace) -> Ledger:
    return Ledger(workspace.store, workspace.tables)


def run(workspace: Workspace, section: AutoLearningSection, now: datetime) -> Run:
    """Receive, refine, refresh. ``now`` is UTC with its zone.

    Raises ``RunError`` when another run is under way in this workspace.
    """
    ledger = ledger_of(workspace)
    with workspace.only_one(LOCK):
        # what the last run replaced goes only now: somebody may have been reading it
        swept = ledger.sweep()
        mended = mend(ledger, section)
        received = bronze.receive(workspace.inbox, ledger, section.medallion, section.rules, now)
        refined = list(silver.refine(ledger, section.medallion, section.rules))
        new_fields = _note_fields(ledger, {name for one in refined for name in one.unknown})
        days = gold.refresh(ledger, section)
    lines = sum(one.lines for one in refined)
    return Run(received, lines, tuple(days), swept, mended, new_fields)


def mend(ledger: Ledger, section: AutoLearningSection) -> str:
    """Make again what is gone or was made under other rules; returns in words what is.

    Gold is made from silver, silver from bronze. Bronze is the only copy: where it is gone, what
    silver holds of it stays, and what silver lacks cannot be made.
    """
    gone = ledger.missing()
    lost = [part for part in gone if part.layer == BRONZE]
    pending = {part.path for part in ledger.pending()}
    if any(part.path in pending for part in lost):
        raise DataError(
            f"{ledger.tables / lost[0].path} is gone before it became silver: {lost[0].rows} lines"
            " as received; put it back from a backup, or let the senders deliver them again after"
            f" `DELETE FROM parts WHERE path = '{lost[0].path}'` in the workspace's store"
        )
    damaged = [part for part in gone if part.layer in (SILVER, QUARANTINE)]
    if _rules_changed(ledger, section):
        why = "the rules have changed: silver is made again from bronze"
    elif damaged:
        why = f"{damaged[0].path} was gone: silver is made again from bronze"
    else:
        return _mend_gold(ledger, [part.day for part in gone if part.layer in GOLD])
    if lost:
        raise DataError(
            f"{why}, but {ledger.tables / lost[0].path} is gone too ({lost[0].rows} lines); put it"
            " back from a backup"
        )
    log.warning(why)
    with transaction(ledger.store):
        ledger.mark_stale([part.day for part in ledger.parts(SILVER)])
        ledger.drop([*ledger.parts(SILVER), *ledger.parts(QUARANTINE)])
        ledger.store.execute("UPDATE parts SET pending = 1 WHERE layer = ?", (BRONZE,))
        ledger.note("rules", _rules_digest(section))
    return why


def set_damaged_aside(workspace: Workspace) -> list[str]:
    """Open every file of the tables; what cannot be read, or has not the rows that it should, is
    renamed, so that the next run makes it again. Returns the files.
    """
    ledger = ledger_of(workspace)
    with workspace.only_one(LOCK):
        damaged = [part.path for part in ledger.damaged()]
        for path in damaged:
            file = ledger.tables / path
            file.rename(file.with_name(f"{file.name}.damaged"))
    return damaged


def _mend_gold(ledger: Ledger, days: list[str]) -> str:
    if not days:
        return ""
    with transaction(ledger.store):
        ledger.mark_stale(days)
    return f"gold of {days[0]} was gone: it is made again from silver"


def _note_fields(ledger: Ledger, unknown: set[str]) -> tuple[str, ...]:
    """Remember fields that are not read; returns those never seen before."""
    known = json.loads(ledger.setting("unread_fields") or "[]")
    new = tuple(sorted(unknown - set(known)))
    if new:
        ledger.note("unread_fields", json.dumps(sorted(unknown | set(known))))
    return new


def _rules_digest(section: AutoLearningSection) -> str:
    said = typing_sql() + silver.MERIT + section.rules.model_dump_json()
    return hashlib.sha256(said.encode()).hexdigest()


def _rules_changed(ledger: Ledger, section: AutoLearningSection) -> bool:
    if ledger.setting("rules") is None:
        ledger.note("rules", _rules_digest(section))
    return ledger.setting("rules") != _rules_digest(section)


def query(
    workspace: Workspace,
    section: AutoLearningSection,
    sql: str,
    parameters: Sequence[object] = (),
) -> pandas.DataFrame:
    """Ask the tables in SQL: each is a view of its name. A table without rows is left out."""
    ledger = ledger_of(workspace)
    with engine(section.medallion, workspace.tables / "spill") as duck:
        for layer in LAYERS:
            parts = ledger.parts(layer) if re.search(rf"\b{layer}\b", sql) else []
            if parts:
                files = list_of(ledger.files(parts))
                duck.execute(f"CREATE VIEW {layer} AS FROM read_parquet({files})")
        return duck.execute(sql, list(parameters)).df()


def rows(workspace: Workspace) -> dict[str, int]:
    """How many rows each table has."""
    ledger = ledger_of(workspace)
    return {layer: sum(part.rows for part in ledger.parts(layer)) for layer in LAYERS}


def collected(
    workspace: Workspace, section: AutoLearningSection
) -> dict[str, int | dict[str, int]]:
    """The collector's report: processed, accepted by side of the split, rejected by reason."""
    if not ledger_of(workspace).parts(DAILY):
        return summary({})
    found = query(
        workspace,
        section,
        "SELECT verdict, side, sum(tasks)::BIGINT AS n FROM daily GROUP BY ALL",
    )
    return summary({(row.verdict, row.side): int(row.n) for row in found.itertuples()})


def digest(workspace: Workspace, section: AutoLearningSection, layer: str) -> str:
    """A hash of a table's rows, whatever files they are in and in whatever order."""
    if not ledger_of(workspace).parts(layer):
        return ""
    said = query(
        workspace,
        section,
        f"SELECT count(*)::VARCHAR || bit_xor(md5_number({layer}::VARCHAR))::VARCHAR AS said"
        f" FROM {layer}",
    )
    return hashlib.sha256(str(said["said"][0]).encode()).hexdigest()
