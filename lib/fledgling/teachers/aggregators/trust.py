"""Whom to believe: weights learned from a few gold answers, wary of teachers that err together.

Every teacher casts a signed vote on a candidate answer: +1 for it, -1 for another one, 0 for
neither, and anything between where several tries of the same teacher are averaged. The probability
that the candidate is right is

    sigmoid(sharpness * sum_j w_j v_j / s_j),    w ~ Normal(prior_j, prior_spread),

a logistic regression with as many weights as teachers. The weights are fitted *jointly*, so that
teachers who err together share one voice instead of counting several times, and a teacher that is
steadily wrong earns a negative weight. ``prior_j`` needs no gold: a teacher whose own tries agree
with each other is more often right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from fledgling.core.errors import DataError
from fledgling.teachers.settings import TrustSection

NOBODY = "nobody is right"
AGAINST = -2  # the camp of a voice that is in none of the camps and against each


@dataclass(frozen=True)
class Trust:
    """Learned log-odds per teacher. ``scales`` are the root mean squares of their votes."""

    teachers: tuple[str, ...]
    weights: np.ndarray  # (T,)
    scales: np.ndarray  # (T,)
    sharpness: float
    edges: np.ndarray  # (L - 1,) confidences between the levels, ascending
    levels: np.ndarray  # (L,) the confidence reported in each

    def probability(self, votes: np.ndarray) -> np.ndarray:
        """Votes (N, T) on one candidate each → probability (N,) that the candidate is right."""
        votes = np.nan_to_num(np.atleast_2d(np.asarray(votes, dtype=float)))
        if votes.shape[1] != len(self.teachers):
            raise DataError(
                f"votes have {votes.shape[1]} columns, but {len(self.teachers)} teachers are"
                f" trusted: {', '.join(self.teachers)}"
            )
        return expit(self.sharpness * (votes / self.scales) @ self.weights)

    def choose(self, votes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Between a candidate and its opposite: (choice in {+1, -1}, confidence in one of the few
        levels).

        Few gold labels cannot support fine distinctions: like a scaling-binning calibrator (Kumar
        et al., 2019), the probability is replaced by the mean probability of the questions that are
        about as clear.
        """
        probability = self.probability(votes)
        return np.where(probability >= 0.5, 1.0, -1.0), self.level(
            np.maximum(probability, 1 - probability)
        )

    def level(self, confidence: np.ndarray) -> np.ndarray:
        """The reported level of a confidence; unchanged where no levels were learned."""
        return (
            self.levels[np.searchsorted(self.edges, confidence, side="right")]
            if len(self.levels)
            else confidence
        )


def steadiness(votes: np.ndarray) -> np.ndarray:
    """How much each teacher's tries agree with each other: mean |vote| per teacher, (N, T) → (T,)
    in 0..1.
    """
    return np.abs(np.nan_to_num(votes)).mean(axis=0)


def prior_weights(votes: np.ndarray, section: TrustSection) -> np.ndarray:
    """What to believe of each teacher before any gold: a head start for all, more for the steadier
    ones.
    """
    above = steadiness(votes) - steadiness(votes).mean()
    return section.head_start + section.steadiness_gain * np.maximum(above, 0.0)


def fit_trust(
    votes: np.ndarray,
    truth: np.ndarray,
    teachers: Sequence[str],
    section: TrustSection,
    *,
    all_votes: np.ndarray | None = None,
) -> Trust:
    """Learn weights from gold: ``votes`` (G, T) on candidates, ``truth`` (G,) +1 where right and -1
    where wrong.

    ``all_votes`` (N, T) are the votes on every question, gold or not; priors and scales come from
    them. ``truth`` may be empty: then the prior alone speaks. Raises ``DataError`` where shapes or
    labels do not fit.
    """
    votes, truth = np.nan_to_num(np.asarray(votes, dtype=float)), np.asarray(truth, dtype=float)
    if votes.ndim != 2 or votes.shape != (len(truth), len(teachers)):
        raise DataError(
            f"votes {votes.shape} must be (gold labels, teachers) = ({len(truth)}, {len(teachers)})"
        )
    if not np.isin(truth, (-1.0, 1.0)).all():
        raise DataError("truth must hold +1 (the candidate is right) or -1 (it is wrong)")
    seen = votes if all_votes is None else np.nan_to_num(np.asarray(all_votes, dtype=float))
    scales = np.sqrt((seen**2).mean(axis=0))
    scales = np.where(scales > 0, scales, 1.0)
    prior = prior_weights(seen, section)
    evidence = votes / scales * truth[:, None]  # positive where the vote was right

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        margin, shift = evidence @ weights, (weights - prior) / section.prior_spread**2
        value = np.logaddexp(0.0, -margin).sum() + 0.5 * shift @ (weights - prior)
        return value, shift - evidence.T @ expit(-margin)

    weights = minimize(loss, prior, jac=True, method="L-BFGS-B").x
    plain = Trust(tuple(teachers), weights, scales, section.sharpness, np.zeros(0), np.zeros(0))
    return replace(
        plain,
        **_levels(plain.choose(seen)[1], section.levels) if len(seen) >= 4 * section.levels else {},
    )


def _levels(confidence: np.ndarray, count: int) -> dict[str, np.ndarray]:
    """Equally filled levels of the confidences (N,): where they part and the mean of each."""
    parts = np.array_split(np.sort(confidence), count)
    return {
        "edges": np.array([part[0] for part in parts[1:]]),
        "levels": np.array([part.mean() for part in parts]),
    }


def fit_trust_from_groups(
    answers: Sequence[Sequence[int]],
    right: Sequence[Sequence[bool]],
    teachers: Sequence[str],
    section: TrustSection,
) -> Trust:
    """Learn from open questions: ``answers[q][j]`` is the group of teacher j's answer to question q
    (-1: none), ``right[q][j]`` whether it was right. Every group of every question is one
    candidate.

    All of them may be wrong, even where they agree: ``NOBODY`` is a voice that always votes
    against, and its weight says how far unanimity can be believed.
    """
    rows, truth = [], []
    for groups, correct in zip(answers, right, strict=True):
        for group in sorted(set(groups) - {-1}):
            rows.append(votes_for([*groups, AGAINST], group))
            truth.append(1.0 if correct[list(groups).index(group)] else -1.0)
    names = (*teachers, NOBODY)
    return fit_trust(np.array(rows).reshape(-1, len(names)), np.array(truth), names, section)


def votes_for(groups: Sequence[int], group: int) -> np.ndarray:
    """Signed votes (T,) on one group: +1 inside it, -1 in another, 0 where the teacher gave no
    answer.

    >>> votes_for([0, 0, 1, -1], 0).tolist()
    [1.0, 1.0, -1.0, 0.0]
    """
    groups = np.asarray(groups)
    return np.where(groups == -1, 0.0, np.where(groups == group, 1.0, -1.0))


def error_correlation(votes: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Correlation (T, T) of the teachers' errors; +1: always wrong together. Constant teachers
    correlate with none.
    """
    errors = (np.nan_to_num(votes) * np.asarray(truth)[:, None] <= 0).astype(float)
    centred = errors - errors.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0))
    scaled = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
    matrix = scaled.T @ scaled / len(errors)
    np.fill_diagonal(matrix, 1.0)
    return matrix


def effective_teachers(correlation: np.ndarray) -> float:
    """How many independent voices a pool is worth: T / (1 + (T - 1) mean correlation) (Kish's
    design effect).

    >>> effective_teachers(np.ones((3, 3)))
    1.0
    """
    count = len(correlation)
    if count == 1:
        return 1.0
    mean = max(0.0, float(correlation[~np.eye(count, dtype=bool)].mean()))
    return count / (1 + (count - 1) * mean)


def wrong_together(
    votes: np.ndarray, trust: Trust, *, agreement: float, floor: float
) -> np.ndarray:
    """Which questions to flag (N,): a majority above ``agreement`` whose probability of being right
    is below ``floor``. Their unanimity is worth less than it looks.
    """
    signs = np.sign(np.nan_to_num(votes))
    share = np.abs(signs.sum(axis=1)) / np.maximum(np.abs(signs).sum(axis=1), 1)
    agreeing = (1 + share) / 2 > agreement
    probability = trust.probability(votes)
    of_majority = np.where(signs.sum(axis=1) >= 0, probability, 1 - probability)
    return agreeing & (of_majority < floor)
