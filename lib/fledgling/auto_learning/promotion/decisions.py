"""Decisions on record, each with all that it was computed from: asked again, it comes out the same,
or the record says what has changed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from fledgling.auto_learning.clock import stamp
from fledgling.auto_learning.promotion.evidence import Before, Evidence
from fledgling.auto_learning.promotion.gate import Finding, decide
from fledgling.auto_learning.promotion.gathering import stored
from fledgling.auto_learning.settings import AutoLearningSection
from fledgling.auto_learning.workspace import Workspace
from fledgling.core.errors import DataError
from fledgling.core.layers import override
from fledgling.core.run_store import finite

# The parts of the configuration that a verdict depends on.
SECTIONS = ("score", "betting", "gate", "watch", "documented", "rules")
_CLOSE = 1e-9  # relative: what two processors may differ by in a sum of logarithms


@dataclass(frozen=True)
class Decision:
    """One look at a test, and what came of it."""

    id: int
    test: int
    at: str
    verdict: str
    reason: str
    tasks: int
    evidence_hash: str
    record: Mapping[str, Any]

    @property
    def numbers(self) -> Mapping[str, Any]:
        return self.record["finding"]["numbers"]


@dataclass(frozen=True)
class Replay:
    """A decision computed again: whether it came out the same, and where not."""

    decision: Decision
    finding: Finding
    differences: tuple[str, ...]

    @property
    def same(self) -> bool:
        return not self.differences


def record(
    workspace: Workspace,
    section: AutoLearningSection,
    test: int,
    evidence: Evidence,
    before: Before,
    finding: Finding,
    broken: str,
    now: datetime,
) -> Decision:
    """Write a finding down with its grounds, in the caller's transaction."""
    grounds = {
        "settings": section.model_dump(mode="json", include=set(SECTIONS)),
        "before": before.to_json(),
        "broken": broken,
        "finding": finite(asdict(finding)),
    }
    cursor = workspace.store.execute(
        "INSERT INTO decisions (test, at, verdict, reason, tasks, evidence_hash, record)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            test,
            stamp(now),
            finding.verdict,
            finding.reason,
            len(evidence),
            evidence.fingerprint(),
            json.dumps(grounds, ensure_ascii=False),
        ),
    )
    return get(workspace, int(cursor.lastrowid))


def get(workspace: Workspace, decision_id: int) -> Decision:
    """Raises ``DataError`` naming the decisions there are."""
    row = workspace.store.execute("SELECT * FROM decisions WHERE id = ?", (decision_id,)).fetchone()
    if row is None:
        last = workspace.store.execute("SELECT max(id) FROM decisions").fetchone()[0]
        there = f"there are 1 to {last}" if last else "there is none yet"
        raise DataError(f"there is no decision {decision_id}; {there}")
    return _decision(row)


def latest(workspace: Workspace, test: int) -> Decision | None:
    """The last decision on a test."""
    row = workspace.store.execute(
        "SELECT * FROM decisions WHERE test = ? ORDER BY id DESC LIMIT 1", (test,)
    ).fetchone()
    return None if row is None else _decision(row)


def decisions(workspace: Workspace, master: str) -> list[Decision]:
    """All decisions on a master's challengers, in order."""
    rows = workspace.store.execute(
        "SELECT decisions.* FROM decisions JOIN tests ON tests.id = decisions.test"
        " WHERE tests.master = ? ORDER BY decisions.id",
        (master,),
    )
    return [_decision(row) for row in rows]


def replay(workspace: Workspace, section: AutoLearningSection, decision_id: int) -> Replay:
    """Decide again on the evidence, the past and the settings of a decision's record."""
    decision = get(workspace, decision_id)
    said = decision.record
    evidence = stored(workspace, decision.test, decision.tasks)
    finding = decide(
        evidence,
        Before.from_json(said["before"]),
        override(section, said["settings"]),
        broken=said["broken"],
    )
    differences = list(_compare(said["finding"], finite(asdict(finding))))
    if evidence.fingerprint() != decision.evidence_hash:
        differences.insert(0, "the evidence is not what it was")
    return Replay(decision, finding, tuple(differences))


def _compare(then: Any, now: Any, place: str = "") -> list[str]:
    """Where two findings differ, in words."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        names = sorted({*then, *now})
        pairs = [_compare(then.get(name), now.get(name), f"{place} {name}") for name in names]
        return [line for lines in pairs for line in lines]
    numbers = all(isinstance(value, int | float) for value in (then, now))
    if then == now or (numbers and math.isclose(then, now, rel_tol=_CLOSE, abs_tol=_CLOSE)):
        return []
    return [f"{place.strip()} was {then!r} and is {now!r}"]


def _decision(row: Any) -> Decision:
    values = {name: row[name] for name in Decision.__dataclass_fields__}
    return Decision(**{**values, "record": json.loads(row["record"])})
