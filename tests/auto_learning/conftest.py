"""A workspace, its clock and outcomes to fill it with."""

import json
import random
from datetime import UTC, datetime, timedelta

import pytest

from fledgling.auto_learning.medallion import pipeline
from fledgling.auto_learning.outcomes import TaskOutcome, deliver
from fledgling.auto_learning.registry import Model, Registry, hash_folder
from fledgling.auto_learning.traffic import Task, assign
from fledgling.auto_learning.workspace import Workspace
from fledgling.core.layers import override
from fledgling.settings import load_config

START = datetime(2026, 10, 5, tzinfo=UTC)


@pytest.fixture(scope="session")
def section():
    return load_config().auto_learning


@pytest.fixture
def workspace(tmp_path):
    with Workspace.open(tmp_path / "auto") as opened:
        yield opened


@pytest.fixture
def write_lines(workspace):
    """``write_lines(name, *lines)``: a file in the inbox; lines are bytes, or outcomes' fields."""

    def write(name, *lines, end=b"\n"):
        said = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        (workspace.inbox / f"{name}.jsonl").write_bytes(b"\n".join(said) + end)

    return write


@pytest.fixture(scope="session")
def now():
    return START


@pytest.fixture(scope="session")
def outcome():
    """``outcome(number, **changes)``: the fields of a good outcome; ``...`` leaves one out."""
    return make_outcome


def make_outcome(number, **changes):
    fields = {
        "task_id": f"task-{number}",
        "master": "support",
        "area": "billing",
        "model": "support-base",
        "user": "kim",
        "prompt": f"Where is invoice {number}?",
        "reply": "In your mailbox.",
        "success": True,
        "quality": 4.5,
        "seconds": 30.0,
        "errors": 0,
        "retries": 0,
        "finished": "2026-10-01T10:00:00Z",
    } | changes
    return {name: value for name, value in fields.items() if value is not ...}


class World:
    """Simulated users of one master: tasks are assigned, done at a known rate, and delivered."""

    def __init__(self, workspace, section, seed=0, master="support"):
        self.workspace, self.section, self.master = workspace, section, master
        self.random = random.Random(seed)
        self.now, self.number = START, 0
        self.registry = Registry(workspace)
        self.registry.start(master, self.now)

    def work(self, tasks, champion=0.9, challenger=0.9, seconds=30.0):
        """Do some tasks and take them through the layers."""
        done = []
        for _ in range(tasks):
            self.number += 1
            self.now += timedelta(seconds=30)
            task = Task(f"task-{self.number}", self.master, f"Question {self.number}?", "kim")
            chosen = assign(self.workspace, task, self.section.gate, self.now)
            good = (
                self.random.random()
                < {"champion": champion, "challenger": challenger}[chosen.variant]
            )
            quality = 4.0 if good else 1.0
            done.append(TaskOutcome(task, chosen.model, "Yes.", good, quality, seconds, self.now))
        deliver(self.workspace.inbox, f"{self.now:%Y-%m-%d}", done)
        pipeline.run(self.workspace, self.section, self.now)

    def model(self, name, **metrics):
        """Register a model with a file of its own."""
        folder = self.workspace.models / name
        folder.mkdir(parents=True)
        (folder / "adapter_model.safetensors").write_bytes(name.encode())
        champion = self.registry.serving(self.master)
        when = self.now.isoformat()
        self.registry.add(
            Model(
                name,
                self.master,
                champion.id,
                name,
                hash_folder(folder),
                name,
                when,
                metrics=metrics,
            )
        )
        return name


@pytest.fixture
def world(workspace, section):
    return World(workspace, section)


@pytest.fixture
def quick_gate(section):
    """The gate with equal shares from the first task."""
    return override(section, {"gate.canary_tasks": 0})
