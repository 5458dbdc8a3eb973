"""Accuracy by group, peak, final and forgetting of tasks, and transfer."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np


def accuracy_by(groups: Sequence[Hashable], correct: np.ndarray) -> dict[Hashable, float]:
    """Share of right answers in each group, groups in order of first appearance. ``correct`` (N,)
    of 0 and 1.
    """
    correct = np.asarray(correct, dtype=np.float64)
    names = list(dict.fromkeys(groups))
    number = {name: place for place, name in enumerate(names)}
    member = np.array([number[group] for group in groups], dtype=np.int64)
    right = np.bincount(member, weights=correct, minlength=len(names))
    return {
        name: float(share) for name, share in zip(names, right / np.bincount(member), strict=True)
    }


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


def transfer(together: Mapping[str, float], alone: Mapping[str, float]) -> dict[str, float]:
    """``transfer.<task>`` = accuracy of the multi-task model − that of the task's own model."""
    return {f"transfer.{task}": together[task] - alone[task] for task in together}
