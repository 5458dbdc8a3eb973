"""The tasks a run is about: kindergarten and math by default, or your own from JSONL."""

from __future__ import annotations

from pathlib import Path

from fledgling.tasks.data.examples import TaskSplits, read_tasks
from fledgling.tasks.data.kindergarten import kindergarten
from fledgling.tasks.data.math import math
from fledgling.tasks.settings import TaskDataSection


def load_tasks(section: TaskDataSection, *, seed: int) -> dict[str, TaskSplits]:
    """The tasks that ``section`` describes; another seed gives other items in the test."""
    shares = (section.validation_share, section.test_share)
    if section.path:
        return read_tasks(Path(section.path).expanduser(), shares=shares, seed=seed)
    sizes = {"train": section.train_per_skill, "held_out": section.held_out_per_skill}
    reading = kindergarten(seed=seed, shares=shares, **sizes)
    maths = math(seed=seed, shares=shares, **sizes)
    return {splits.task: splits for splits in (reading, maths)}
