"""Records of a training, and what is worked out from them: accuracy by group, forgetting, transfer.

Numbers in, numbers out: nothing here knows a model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas

from fledgling.core.records import StepRecord
from fledgling.core.statistics import Interval, paired_difference

ByTask = dict[str, float]
ByGroup = dict[str, dict[str, float]]  # task → skill or level → value


@dataclass(frozen=True)
class EpochRecord:
    """One epoch of one training. Accuracies and losses (nats) are of the validation split.

    ``phase`` and ``trained``: which tasks it learned from; ``conflict``: mean cosine of the tasks'
    gradients, None where it was not measured; ``train_examples``: how many there are to learn from;
    ``updates`` and ``examples``: done so far; ``seconds_training`` leaves out measuring.
    """

    run: str
    seed: int
    epoch: int
    phase: int
    trained: tuple[str, ...]
    train_loss: ByTask
    accuracy: ByTask
    loss: ByTask
    skills: ByGroup
    levels: ByGroup
    skill_losses: ByGroup
    level_losses: ByGroup
    conflict: float | None
    train_examples: dict[str, int]
    updates: int
    examples: int
    seconds: float
    seconds_training: float

    def to_step(self) -> StepRecord:
        """The line of ``steps.jsonl``."""
        values = asdict(self)
        return StepRecord(values.pop("epoch"), "epoch", values.pop("run"), values)


@dataclass(frozen=True)
class TaskAnswer:
    """An answer and its probability. ``answer`` is "unknown" where ``unread`` names characters
    never seen.
    """

    text: str
    task: str
    answer: str
    probability: float
    unread: str = ""


@dataclass(frozen=True)
class Edge:
    """An edge that an answer rests on: node ``reader`` reads node ``read``; 0 is the virtual node.
    ``weight``: its share of all edges; ``types``: what kinds of edge it is.
    """

    reader: int
    read: int
    weight: float
    types: tuple[str, ...]


@dataclass(frozen=True)
class Look(TaskAnswer):
    """An answer and the strongest edges that it rests on, strongest first; none where the backbone
    has none.
    """

    edges: tuple[Edge, ...] = ()


def mean_by(groups: Sequence[str], values: np.ndarray) -> dict[str, float]:
    """The mean of ``values`` (N,), such as right or wrong, in each group, as they first appear."""
    column = pandas.Series(values, dtype="float64")
    return column.groupby(list(groups), sort=False).mean().to_dict()


def histories(records: Sequence[EpochRecord], run: str) -> dict[str, list[float]]:
    """Task → accuracy over time of one run, from the epochs in which its head existed."""
    epochs = [record.accuracy for record in records if record.run == run]
    return {task: [one[task] for one in epochs if task in one] for task in epochs[-1]}


def forgetting(accuracies: Sequence[float]) -> float:
    """max(0, (peak − final) / peak) of a task's accuracies in the order they were measured; 0 where
    peak is 0.

    >>> round(forgetting([0.2, 1.0, 0.4]), 6)
    0.6
    """
    peak = max(accuracies)
    return max(0.0, (peak - accuracies[-1]) / peak) if peak > 0 else 0.0


def task_metrics(history: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """``accuracy.<task>`` (final), ``peak.<task>`` and ``forgetting.<task>`` from accuracies over
    time.
    """
    metrics: dict[str, float] = {}
    for task, accuracies in history.items():
        metrics[f"accuracy.{task}"] = accuracies[-1]
        metrics[f"peak.{task}"] = max(accuracies)
        metrics[f"forgetting.{task}"] = forgetting(accuracies)
    return metrics


def lost(just_taught: np.ndarray, now: np.ndarray) -> Interval:
    """The share of what was known that is lost, with its 95% interval over the exercises.

    ``just_taught``, ``now``: (N,) right or wrong on the same exercises, then and now. NaN where
    nothing was known.
    """
    change = paired_difference(just_taught.astype(float), now.astype(float))
    known = float(just_taught.mean()) or float("nan")
    return Interval(change.mean / known, change.low / known, change.high / known, change.count)


def seconds_until(records: Sequence[EpochRecord], run: str, accuracy: float) -> float | None:
    """Seconds of the run until every task had reached ``accuracy``, measuring included; None where
    one never did.
    """
    mine = (record for record in records if record.run == run)
    return next((one.seconds for one in mine if min(one.accuracy.values()) >= accuracy), None)
