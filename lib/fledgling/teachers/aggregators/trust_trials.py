"""Does trust pay? Weights from a few gold labels, many random draws of them, always judged on the
rest, whose votes the fit never saw.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from fledgling.core.errors import DataError
from fledgling.core.statistics import Interval, mean_interval
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

    ``alone`` is the best single teacher's share of right answers to each of them, the teacher being
    picked by the same labels. ``flagged_wrong`` and ``flagged_right`` are the shares flagged of the
    agreeing answers that are wrong and right, ``right_of_flags`` how many of the flags are right.
    """

    trust: Trust
    gold: np.ndarray
    rest: np.ndarray
    confidence: np.ndarray
    correct: np.ndarray
    alone: np.ndarray
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
    right_of_flags: float


def trust_trials(
    votes: np.ndarray,
    truth: np.ndarray,
    teachers: Sequence[str],
    section: TeachersSection,
    *,
    labels: int = 20,
    draws: int = 100,
    seed: int = 0,
) -> Iterator[TrustTrial]:
    """Draw ``labels`` gold labels ``draws`` times from ``votes`` (N, T) and ``truth`` (N,)."""
    if not 0 < labels < len(truth):
        raise DataError(
            f"{labels} gold labels of {len(truth)} questions leave nothing to judge; draw fewer"
        )
    random, rule = np.random.default_rng(seed), section.trust
    # these two see all votes at once: they know no gold, and have nothing else
    majority, unlabelled = majority_vote(votes), dawid_skene(votes)
    for _ in range(draws):
        gold = random.choice(len(truth), labels, replace=False)
        rest = np.setdiff1d(np.arange(len(truth)), gold)
        trust = fit_trust(votes[gold], truth[gold], teachers, rule)
        choice, confidence = trust.choose(votes[rest])
        raw = trust.probability(votes[rest])
        unlevelled = np.maximum(raw, 1 - raw)
        correct = (choice == truth[rest]).astype(float)
        picked = best_single(votes[gold], truth[gold])
        alone = np.mean([credit(votes[rest, one], truth[rest]) for one in picked], axis=0)
        caught, false, precision = _flags(votes[rest], truth[rest], trust, section)
        yield TrustTrial(
            trust,
            gold,
            rest,
            confidence,
            correct,
            alone,
            accuracy=float(correct.mean()),
            best_single=float(alone.mean()),
            majority=accuracy(majority[rest], truth[rest]),
            dawid_skene=accuracy(unlabelled[rest], truth[rest]),
            ece=expected_calibration_error(confidence, correct, bins=rule.bins),
            ece_without_levels=expected_calibration_error(unlevelled, correct, bins=rule.bins),
            ece_floor=calibration_floor(
                confidence, bins=rule.bins, draws=_FLOOR_DRAWS, generator=random.spawn(1)[0]
            ),
            coverage=coverage_at(confidence, correct, rule.coverage_at),
            flagged_wrong=caught,
            flagged_right=false,
            right_of_flags=precision,
        )


def _flags(
    votes: np.ndarray, truth: np.ndarray, trust: Trust, section: TeachersSection
) -> tuple[float, float, float]:
    """Shares of agreeing answers flagged among the wrong and among the right ones, and the share of
    flags that are on wrong ones; NaN where there are none.
    """
    limit, floor = section.decision.agreement, section.trust.unanimity_floor
    # a floor above 1 flags whatever agrees
    agreeing = wrong_together(votes, trust, agreement=limit, floor=1.1)
    flagged = wrong_together(votes, trust, agreement=limit, floor=floor)
    wrong = majority_vote(votes) != truth
    chosen = (flagged[agreeing & wrong], flagged[agreeing & ~wrong], wrong[flagged])
    caught, false, precision = (
        float(share.mean()) if len(share) else float("nan") for share in chosen
    )
    return caught, false, precision


def summarise(trials: Sequence[TrustTrial], *, bins: int) -> dict[str, float]:
    """Means over draws; the flag shares leave out draws without such answers."""
    names = [field.name for field in fields(TrustTrial) if field.type == "float"]
    summary = {
        name: float(np.nanmean([getattr(trial, name) for trial in trials])) for name in names
    }
    confidence = np.concatenate([trial.confidence for trial in trials])
    correct = np.concatenate([trial.correct for trial in trials])
    summary["ece_pooled"] = expected_calibration_error(confidence, correct, bins=bins)
    return summary


def gain_interval(trials: Sequence[TrustTrial]) -> Interval:
    """By how much trust beats the best single teacher, with the interval over questions: draws of
    labels share their questions, and are no new evidence.
    """
    size = max(int(trial.rest.max()) for trial in trials) + 1
    total, count = np.zeros(size), np.zeros(size)
    for trial in trials:
        total[trial.rest] += trial.correct - trial.alone
        count[trial.rest] += 1
    return mean_interval((total[count > 0] / count[count > 0]).tolist())


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


def credit(choice: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """1 for a right choice, 0 for a wrong one; a tie (0) counts one half, as a coin would."""
    return np.where(choice == 0, 0.5, (np.sign(choice) == truth).astype(float))


def accuracy(choice: np.ndarray, truth: np.ndarray) -> float:
    """The share of right choices."""
    return float(credit(choice, truth).mean())


def best_single(votes: np.ndarray, truth: np.ndarray) -> list[int]:
    """The teachers with the highest accuracy on the gold labels; several where they tie."""
    scores = [accuracy(column, truth) for column in np.nan_to_num(votes).T]
    return [teacher for teacher, score in enumerate(scores) if score == max(scores)]
