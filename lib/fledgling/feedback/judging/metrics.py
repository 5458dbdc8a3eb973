"""Precision, recall, F1 a class, their macro mean, and calibration; numbers in, numbers out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def class_scores(
    truth: Sequence[str], found: Sequence[str], labels: Sequence[str]
) -> dict[str, dict[str, float]]:
    """label → precision, recall, f1, count (how often it is true). A share of nothing is 0.

    >>> class_scores(["a", "a", "b"], ["a", "b", "b"], ["a", "b"])["a"]["recall"]
    0.5
    """
    scores = {}
    for label in labels:
        hits = sum(a == b == label for a, b in zip(truth, found, strict=True))
        said, real = found.count(label), list(truth).count(label)
        precision, recall = hits / said if said else 0.0, hits / real if real else 0.0
        total = precision + recall
        f1 = 2 * precision * recall / total if total else 0.0
        scores[label] = {"precision": precision, "recall": recall, "f1": f1, "count": real}
    return scores


def macro_f1(truth: Sequence[str], found: Sequence[str], labels: Sequence[str]) -> float:
    """The mean of the classes' F1."""
    scores = class_scores(truth, list(found), labels)
    return float(np.mean([scores[label]["f1"] for label in labels]))


def calibration(
    confidences: Sequence[float], hits: Sequence[bool], bins: int = 10
) -> tuple[float, list[tuple[float, float, int]]]:
    """Expected calibration error (Naeini et al., 2015) and (mean confidence, share right, count) of
    each bin that holds anything.
    """
    sure, right = np.asarray(confidences, dtype=float), np.asarray(hits, dtype=float)
    place = np.minimum((sure * bins).astype(int), bins - 1)
    filled = [
        (float(sure[place == one].mean()), float(right[place == one].mean()), int(inside.sum()))
        for one in range(bins)
        if (inside := place == one).any()
    ]
    total = max(len(sure), 1)
    return sum(count * abs(mean - share) for mean, share, count in filled) / total, filled
