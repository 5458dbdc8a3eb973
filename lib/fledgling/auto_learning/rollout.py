"""A challenger's life: deployed, checked, promoted or rolled back. Who serves changes in one
transaction, or not at all.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from fledgling.auto_learning.clock import stamp
from fledgling.auto_learning.events import tell
from fledgling.auto_learning.medallion.ledger import TASKS
from fledgling.auto_learning.medallion.pipeline import ledger_of, query
from fledgling.auto_learning.promotion.decisions import Decision, latest, record
from fledgling.auto_learning.promotion.evidence import Before, start_from
from fledgling.auto_learning.promotion.gate import INVALID, PROMOTE, ROLL_BACK, decide
from fledgling.auto_learning.promotion.gathering import gather
from fledgling.auto_learning.registry import CHALLENGER, CHAMPION, Model, Registry
from fledgling.auto_learning.settings import AutoLearningSection
from fledgling.auto_learning.workspace import Workspace
from fledgling.core.database import transaction
from fledgling.core.errors import ModelError, RunError


@dataclass(frozen=True)
class Test:
    """A challenger beside the champion of a master, with its present share of the traffic."""

    id: int
    master: str
    champion: str
    challenger: str
    share: float
    started: str
    before: Before
    ended: str | None = None
    verdict: str | None = None


def open_test(workspace: Workspace, master: str) -> Test | None:
    """The test under way for a master, if there is one."""
    row = workspace.store.execute(
        "SELECT * FROM tests WHERE master = ? AND ended IS NULL", (master,)
    ).fetchone()
    return None if row is None else _test(row)


def get_test(workspace: Workspace, number: int) -> Test:
    """A test, under way or ended."""
    return _test(workspace.store.execute("SELECT * FROM tests WHERE id = ?", (number,)).fetchone())


def deploy(
    workspace: Workspace, section: AutoLearningSection, model_id: str, now: datetime
) -> Test:
    """Let a model serve beside its master's champion.

    Raises ``ModelError`` when its files are not whole, when it failed a guardrail or is that
    champion already, ``RunError`` when another challenger is under test.
    """
    registry = Registry(workspace)
    model = registry.get(model_id)
    registry.check_files(model)
    champion = registry.start(model.master, now)
    if champion.id == model.id:
        raise ModelError(f"{model.id} is the champion of {model.master} already")
    broken = model.metrics.get("guardrails_broken") or []
    if broken:
        raise ModelError(f"{model.id} may not serve: {'; '.join(broken)}")
    before = _before(workspace, section, champion)
    share = section.gate.canary_share if section.gate.canary_tasks else section.gate.decide_share
    try:
        with transaction(workspace.store):
            workspace.store.execute(
                "INSERT INTO tests (master, champion, challenger, share, started, before)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    model.master,
                    champion.id,
                    model.id,
                    share,
                    stamp(now),
                    json.dumps(before.to_json()),
                ),
            )
            registry.set_alias(model.master, CHALLENGER, model.id, now, why="deployed")
            tell(workspace, now, "deployed", master=model.master, model=model.id, share=share)
    except sqlite3.IntegrityError as error:
        raise RunError(
            f"a challenger of {model.master} is under test already; see `fledgling auto status"
            f" {model.master}`, and end it with `fledgling auto rollback {model.master}`"
        ) from error
    return open_test(workspace, model.master)


def _before(workspace: Workspace, section: AutoLearningSection, champion: Model) -> Before:
    """The champion's latest tasks, from gold."""
    found = None
    if section.betting.history_tasks and ledger_of(workspace).parts(TASKS):
        found = query(
            workspace,
            section,
            "SELECT score, success, seconds FROM tasks WHERE master = ? AND model = ?"
            f" ORDER BY finished DESC, task_id LIMIT {section.betting.history_tasks}",
            (champion.master, champion.id),
        )
    columns = [
        np.array([] if found is None else found[name].to_numpy(dtype=float))
        for name in ("score", "success", "seconds")
    ]
    return start_from(
        *columns,
        section.betting,
        slow_factor=section.watch.slow_factor,
        longest_s=section.collector.longest_s,
    )


def check(
    workspace: Workspace, section: AutoLearningSection, master: str, now: datetime
) -> Decision | None:
    """Gather the evidence, decide, write the decision down and act on it: one transaction.

    With no test under way there is nothing to decide: None. With nothing new since the last look
    the last decision stands.
    """
    test = open_test(workspace, master)
    if test is None:
        return None
    found = gather(workspace, section, test.id, now)
    broken = _broken(workspace, test)
    last = latest(workspace, test.id)
    if last is not None and last.tasks == len(found) and not broken:
        return last
    finding = decide(found, test.before, section, broken=broken)
    with transaction(workspace.store):
        decision = record(workspace, section, test.id, found, test.before, finding, broken, now)
        if finding.closes:
            _close(workspace, test, finding.verdict, now, why=f"decision {decision.id}")
        else:
            workspace.store.execute(
                "UPDATE tests SET share = ? WHERE id = ?", (finding.next_share, test.id)
            )
        tell(
            workspace,
            now,
            "decision",
            master=master,
            decision=decision.id,
            verdict=finding.verdict,
            reason=finding.reason,
            tasks=len(found),
        )
    return decision


def _broken(workspace: Workspace, test: Test) -> str:
    """Why no comparison can go on, whatever the evidence says; empty where one can."""
    registry = Registry(workspace)
    try:
        registry.check_files(registry.get(test.challenger))
    except ModelError as error:
        return str(error)
    return ""


def _close(workspace: Workspace, test: Test, verdict: str, now: datetime, *, why: str) -> None:
    """End a test; only PROMOTE changes who is champion. Inside a transaction of the caller's."""
    registry = Registry(workspace)
    workspace.store.execute(
        "UPDATE tests SET ended = ?, verdict = ? WHERE id = ?", (stamp(now), verdict, test.id)
    )
    registry.set_alias(test.master, CHALLENGER, None, now, why=why)
    if verdict == PROMOTE:
        registry.set_alias(test.master, CHAMPION, test.challenger, now, why=why)
    said = {PROMOTE: "promoted", ROLL_BACK: "rolled_back", INVALID: "invalid"}
    tell(
        workspace,
        now,
        said.get(verdict, "undecided"),
        master=test.master,
        model=test.challenger,
        champion=test.challenger if verdict == PROMOTE else test.champion,
        why=why,
    )


def promote(workspace: Workspace, master: str, now: datetime, *, by_hand: str = "") -> Model:
    """Make the challenger champion although the gate has not, on somebody's word.

    Raises ``RunError`` without a reason ``by_hand``, or without a challenger.
    """
    test = open_test(workspace, master)
    if test is None:
        raise RunError(f"{master} has no challenger under test; deploy one first")
    if not by_hand.strip():
        raise RunError(
            f"the gate has not promoted {test.challenger}; `fledgling auto check {master}` says"
            " why. To promote it all the same, give the reason with --by-hand"
        )
    registry = Registry(workspace)
    registry.check_files(registry.get(test.challenger))
    with transaction(workspace.store):
        _close(workspace, test, PROMOTE, now, why=f"by hand: {by_hand.strip()}")
    return registry.get(test.challenger)


def roll_back(workspace: Workspace, master: str, now: datetime, *, why: str = "by hand") -> Model:
    """Take the challenger out of the traffic; where there is none, put the champion before this
    one back. No file is touched. Returns who serves now.
    """
    registry = Registry(workspace)
    test = open_test(workspace, master)
    with transaction(workspace.store):
        if test is not None:
            _close(workspace, test, ROLL_BACK, now, why=why)
            return registry.get(test.champion)
        previous = registry.previous_champion(master)
        if previous is None:
            raise RunError(
                f"{master} has neither a challenger nor an earlier champion: nothing to roll back"
            )
        registry.check_files(previous)
        registry.set_alias(master, CHAMPION, previous.id, now, why=why)
        tell(workspace, now, "rolled_back", master=master, champion=previous.id, why=why)
        return previous


def _test(row: sqlite3.Row) -> Test:
    values: dict[str, Any] = {name: row[name] for name in Test.__dataclass_fields__}
    return Test(**{**values, "before": Before.from_json(json.loads(row["before"]))})
