"""A whole life without a language model, to show the daemon at speed: users whose tasks succeed at
a rate that each stand-in model has by its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fledgling.auto_learning.clock import Clock
from fledgling.auto_learning.daemon import Job, every
from fledgling.auto_learning.outcomes import deliver
from fledgling.auto_learning.registry import Model, Registry
from fledgling.auto_learning.settings import AutoLearningSection
from fledgling.auto_learning.traffic import Task, assign, uniform
from fledgling.auto_learning.users import MASTER, Users, tickets
from fledgling.auto_learning.work import OpenWorkshop
from fledgling.auto_learning.workspace import Workspace
from fledgling.core.files import write_json
from fledgling.core.records import StepRecord
from fledgling.feedback.examples import ChatExample


class StandInWorkshop:
    """Makes a "model" that is a file with its name in it."""

    def train(self, examples: Sequence[ChatExample], folder: Path) -> Iterator[StepRecord]:
        write_json(folder / "stand_in.json", {"name": folder.name, "examples": len(examples)})
        took = {"updates": 1, "loss": 1.0, "tokens": 1, "seconds": 0.01, "tokens_per_second": 100.0}
        yield StepRecord(1, "done", str(folder), {"examples": len(examples), **took})

    def measure(self, workspace: Workspace, model: Model, champion: Model) -> dict[str, Any]:
        return {"guardrails_broken": []}


def skill(model: Model, section: AutoLearningSection) -> float:
    """How often a stand-in's reply is right: the base as the trials' champion less their loss, each
    model after it better or worse by its name.
    """
    trials = section.trials
    if not model.folder:
        return trials.completion - trials.loss
    better = uniform("stand-in", model.id) < trials.completion
    return trials.completion if better else trials.completion - 2.0 * trials.loss


def simulated(
    section: AutoLearningSection, clock: Clock, seed: int
) -> tuple[OpenWorkshop, tuple[Job, ...]]:
    """A workshop of stand-ins, and the users as a job of the daemon's."""
    users = Users(section.users, clock.start, seed, count=int(clock.start.timestamp()))
    hour = timedelta(minutes=section.daemon.collect_minutes)

    def ask(workspace: Workspace, chosen: AutoLearningSection, now: datetime) -> None:
        registry = Registry(workspace)
        registry.start(MASTER, now)
        done = []
        users.now = max(users.now, now - hour)  # a machine that is too slow skips, and catches up
        while users.now < now:
            task = users.ask()
            assigned = assign(workspace, task, chosen.gate, users.now)
            reply = _reply(task, registry.get(assigned.model), chosen)
            done.append(users.rate(task, assigned.model, reply))
        deliver(workspace.inbox, f"{now:%Y-%m-%d}", done)

    @contextmanager
    def open_workshop() -> Iterator[StandInWorkshop]:
        yield StandInWorkshop()

    return open_workshop, (Job("users", every(hour, clock.start), ask),)


def _reply(task: Task, model: Model, section: AutoLearningSection) -> str:
    """Right as often as the model's skill, by a draw that each model has for itself."""
    if uniform(model.id, task.id) < skill(model, section):
        return task.area
    return next(area for area in tickets() if area != task.area)
