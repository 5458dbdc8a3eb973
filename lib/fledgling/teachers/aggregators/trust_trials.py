"""Does trust pay? Weights from a few gold labels, many random draws of them, always judged on the
rest.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from fledgling.core.errors import DataError
from fledgling.teachers.aggregators.trust import Trust, fit_trust, wrong_together
from fledgling.teachers.calibration import (
    calibration_floor,
    coverage_at,
    expected_calibration_error,
)
from fledgling.teachers.settings import TeachersSection

_FLOOR_DRAWS = 20  # the mean of so many is steady to a thousandth


@dataclass(frozen=True)
class TrustTrial:
    """One draw of gold labels. Accuracies and the rest are measured on the questions *not* drawn.

    ``flagged_wrong`` and ``flagged_right`` are the shares flagged of the agreeing answers that are
    wrong and right.
    """

    trust: Trust
    gold: np.ndarray
    rest: np.ndarray
    confidence: np.ndarray
    correct: np.ndarray
    accuracy: float
    best_single: float
    majority: float
    dawid_skene: float
    ece: float
    ece_without_levels: float
    ece_floor: float
    coverage: float
    flagged_wrong: float
    flagged_right: float


def trust_trials(
    votes: np.ndarray,
    truth: np.ndarray,
    teachers: Sequence[str],
    section: TeachersSection,
    *,
    labels: int = 20,
    draws: int = 100,
    seed: int = 0,
    watched: np.ndarray | None = None,
    single_votes: np.ndarray | None = None,
) -> Iterator[TrustTrial]:
    """Draw ``labels`` gold labels ``draws`` times. ``watched`` (N,) limits where agreement in error
    is looked for; ``single_votes`` (N, S) are the candidates for the best single teacher, the same
    teachers by default.
    """
    if not 0 < labels < len(truth):
        raise DataError(
            f"{labels} gold labels of {len(truth)} questions leave nothing to judge; draw fewer"
        )
    random = np.random.default_rng(seed)
    rule = section.trust
    unlabelled = {"majority": majority_vote(votes), "dawid_skene": dawid_skene(votes)}
    watched = np.ones(len(truth), dtype=bool) if watched is None else watched
    singles = votes if single_votes is None else single_votes
    for _ in range(draws):
        gold = random.choice(len(truth), labels, replace=False)
        rest = np.setdiff1d(np.arange(len(truth)), gold)
        trust = fit_trust(votes[gold], truth[gold], teachers, rule, all_votes=votes)
        choice, confidence = trust.choose(votes[rest])
        raw = trust.probability(votes[rest])
        raw = np.maximum(raw, 1 - raw)
        correct = (choice == truth[rest]).astype(float)
        picked = best_single(singles[gold], truth[gold])
        alone = [accuracy(singles[rest, one], truth[rest]) for one in picked]
        caught, false = _flags(votes, truth, trust, section, rest[watched[rest]])
        yield TrustTrial(
            trust,
            gold,
            rest,
            confidence,
            correct,
            accuracy=float(correct.mean()),
            best_single=float(np.mean(alone)),
            majority=accuracy(unlabelled["majority"][rest], truth[rest]),
            dawid_skene=accuracy(unlabelled["dawid_skene"][rest], truth[rest]),
            ece=expected_calibration_error(confidence, correct, bins=rule.bins),
            ece_without_levels=expected_calibration_error(raw, correct, bins=rule.bins),
            ece_floor=calibration_floor(
                confidence, bins=rule.bins, draws=_FLOOR_DRAWS, generator=random.spawn(1)[0]
            ),
            coverage=coverage_at(confidence, correct, rule.coverage_at),
            flagged_wrong=caught,
            flagged_right=false,
        )


def _flags(
    votes: np.ndarray, truth: np.ndarray, trust: Trust, section: TeachersSection, rows: np.ndarray
) -> tuple[float, float]:
    """Shares of agreeing answers flagged, among the wrong and among the right ones; NaN where there
    are none.
    """
    limit, floor = section.decision.agreement, section.trust.unanimity_floor
    # a floor above 1 flags whatever agrees
    agreeing = wrong_together(votes[rows], trust, agreement=limit, floor=1.1)
    flagged = wrong_together(votes[rows], trust, agreement=limit, floor=floor)
    wrong = majority_vote(votes[rows]) != truth[rows]
    caught, false = flagged[agreeing & wrong], flagged[agreeing & ~wrong]
    return (
        float(caught.mean()) if len(caught) else float("nan"),
        float(false.mean()) if len(false) else float("nan"),
    )


def summarise(trials: Sequence[TrustTrial], *, bins: int) -> dict[str, float]:
    """Means over draws; the flag shares leave out draws without such answers."""
    names = [field.name for field in fields(TrustTrial) if field.type == "float"]
    summary = {
        name: float(np.nanmean([getattr(trial, name) for trial in trials])) for name in names
    }
    confidence = np.concatenate([trial.confidence for trial in trials])
    correct = np.concatenate([trial.correct for trial in trials])
    summary["ece_pooled"] = expected_calibration_error(confidence, correct, bins=bins)
    wins = [trial.accuracy >= trial.best_single for trial in trials]
    return summary | {"beats_best_single": float(np.mean(wins))}


def majority_vote(votes: np.ndarray) -> np.ndarray:
    """Signed votes (N, T) → +1, -1 or 0 for a tie, each teacher counting once."""
    return np.sign(np.sign(np.nan_to_num(votes)).sum(axis=1))


def dawid_skene(votes: np.ndarray, *, iterations: int = 100) -> np.ndarray:
    """Dawid & Skene (1979) by crowd-kit: each teacher's confusion matrix by EM, no gold. (N, T) →
    +1, -1 or 0.
    """
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
