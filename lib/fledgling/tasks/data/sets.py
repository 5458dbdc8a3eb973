"""The tasks a run is about: kindergarten and math by default, or your own from JSONL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

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
    tasks = (
        kindergarten(seed=seed, shares=shares, **sizes),
        math(seed=seed, shares=shares, **sizes),
    )
    return {splits.task: splits for splits in tasks}


def thinned(tasks: Mapping[str, TaskSplits], share: float, *, seed: int) -> dict[str, TaskSplits]:
    """The same tasks with a random ``share`` of their training examples, at least one."""
    generator = np.random.default_rng([seed, 5])
    return {
        task: replace(splits, train=_some(splits.train, share, generator))
        for task, splits in tasks.items()
    }


def _some(examples: tuple, share: float, generator: np.random.Generator) -> tuple:
    count = max(1, round(share * len(examples)))
    return tuple(
        examples[place]
        for place in np.sort(generator.choice(len(examples), size=count, replace=False))
    )
