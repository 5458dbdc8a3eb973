"""What trust has to beat: the best single teacher, the majority, Dawid-Skene."""

from __future__ import annotations

import warnings

import numpy as np


def majority_vote(votes: np.ndarray) -> np.ndarray:
    """Signed votes (N, T) → +1, -1 or 0 for a tie, each teacher counting once."""
    return np.sign(np.sign(np.nan_to_num(votes)).sum(axis=1))


def dawid_skene(votes: np.ndarray, *, iterations: int = 100) -> np.ndarray:
    """Dawid & Skene (1979) by crowd-kit: each teacher's confusion matrix by EM, no gold. (N, T) →
    +1, -1 or 0.
    """
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    rows = [
        (item, teacher, int(np.sign(vote)))
        for (item, teacher), vote in np.ndenumerate(np.nan_to_num(votes))
        if vote
    ]
    table = pd.DataFrame(rows, columns=["task", "worker", "label"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # crowd-kit writes for an older pandas
        labels = DawidSkene(n_iter=iterations).fit_predict(table)
    return np.array([labels.get(item, 0) for item in range(len(votes))], dtype=float)


def accuracy(choice: np.ndarray, truth: np.ndarray) -> float:
    """The share of right choices; a tie (0) counts one half, as a coin would."""
    return float(np.where(choice == 0, 0.5, np.sign(choice) == truth).mean())


def best_single(votes: np.ndarray, truth: np.ndarray) -> list[int]:
    """The teachers with the highest accuracy on the gold labels; several where they tie."""
    scores = [
        accuracy(np.nan_to_num(votes[:, teacher]), truth) for teacher in range(votes.shape[1])
    ]
    return [teacher for teacher, score in enumerate(scores) if score == max(scores)]
