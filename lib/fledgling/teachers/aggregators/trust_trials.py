"""Does trust pay? Weights from a few gold labels, many random draws of them, always judged on the
rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fledgling.core.errors import DataError
from fledgling.teachers.aggregators.baselines import (
    accuracy,
    best_single,
    dawid_skene,
    majority_vote,
)
from fledgling.teachers.aggregators.trust import Trust, fit_trust, wrong_together
from fledgling.teachers.calibration import (
    calibration_floor,
    coverage_at,
    expected_calibration_error,
)
from fledgling.teachers.settings import TeachersSection


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
    unlabelled = {"majority": majority_vote(votes), "dawid_skene": dawid_skene(votes)}
    watched = np.ones(len(truth), dtype=bool) if watched is None else watched
    singles = votes if single_votes is None else single_votes
    for _ in range(draws):
        gold = random.choice(len(truth), labels, replace=False)
        rest = np.setdiff1d(np.arange(len(truth)), gold)
        trust = fit_trust(votes[gold], truth[gold], teachers, section.trust, all_votes=votes)
        choice, confidence = trust.choose(votes[rest])
        raw = trust.probability(votes[rest])
        raw = np.maximum(raw, 1 - raw)
        correct = (choice == truth[rest]).astype(float)
        picked = best_single(singles[gold], truth[gold])
        caught, false = _flags(votes, truth, trust, section, rest[watched[rest]])
        yield TrustTrial(
            trust,
            gold,
            rest,
            confidence,
            correct,
            float(correct.mean()),
            float(np.mean([accuracy(singles[rest, teacher], truth[rest]) for teacher in picked])),
            accuracy(unlabelled["majority"][rest], truth[rest]),
            accuracy(unlabelled["dawid_skene"][rest], truth[rest]),
            expected_calibration_error(confidence, correct, bins=section.trust.bins),
            expected_calibration_error(raw, correct, bins=section.trust.bins),
            calibration_floor(confidence, bins=section.trust.bins, draws=20),
            coverage_at(confidence, correct, 0.9),
            caught,
            false,
        )


def _flags(
    votes: np.ndarray, truth: np.ndarray, trust: Trust, section: TeachersSection, rows: np.ndarray
) -> tuple[float, float]:
    """Shares of agreeing answers flagged, among the wrong and among the right ones; NaN where there
    are none.
    """
    rule = {"agreement": section.decision.agreement, "floor": section.trust.unanimity_floor}
    agreeing = wrong_together(votes[rows], trust, agreement=rule["agreement"], floor=1.1)
    flagged = wrong_together(votes[rows], trust, **rule)
    wrong = majority_vote(votes[rows]) != truth[rows]
    shares = []
    for group in (agreeing & wrong, agreeing & ~wrong):
        shares.append(float(flagged[group].mean()) if group.any() else float("nan"))
    return shares[0], shares[1]


def summarise(trials: Sequence[TrustTrial]) -> dict[str, float]:
    """Means over draws; the flag shares leave out draws without such answers."""
    names = (
        "accuracy",
        "best_single",
        "majority",
        "dawid_skene",
        "ece",
        "ece_without_levels",
        "ece_floor",
        "coverage",
    )
    summary = {name: float(np.mean([getattr(trial, name) for trial in trials])) for name in names}
    summary |= {
        name: float(np.nanmean([getattr(trial, name) for trial in trials]))
        for name in ("flagged_wrong", "flagged_right")
    }
    pooled = (
        np.concatenate([trial.confidence for trial in trials]),
        np.concatenate([trial.correct for trial in trials]),
    )
    summary["ece_pooled"] = expected_calibration_error(*pooled)
    summary["beats_best_single"] = float(
        np.mean([trial.accuracy >= trial.best_single for trial in trials])
    )
    return summary
