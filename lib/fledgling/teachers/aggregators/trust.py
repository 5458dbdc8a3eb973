"""Whom to believe: weights learned from a few gold answers, wary of teachers that err together, and
a confidence that says no more than so few answers can.

Every teacher casts a signed vote on a candidate answer: +1 for it, -1 for another one, 0 for
neither, and anything between where several tries of the same teacher are averaged. The chance that
the candidate is right is

    sigmoid(sharpness * sum_j w_j v_j / s_j),    w ~ Normal(head_start, prior_spread),

a logistic regression with as many weights as teachers, averaged over what the weights may be
(MacKay's approximation to the Laplace posterior). The weights are learned *jointly*, so that
teachers who err together share one voice instead of counting several times, and a teacher that is
steadily wrong earns a negative weight.

Only gold questions enter the fit, never the votes on the questions that are then decided: a stream
has none of those. How often the pool is right is measured on gold answers that were left out of
each fit, in a few levels, each shrunken towards what the model itself expects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    """Learned log-odds per teacher, how sure they are, and the levels of confidence they earned.
    ``scales`` are the root mean squares of the teachers' votes.
    """

    teachers: tuple[str, ...]
    weights: np.ndarray  # (T,)
    covariance: np.ndarray  # (T, T)
    scales: np.ndarray  # (T,)
    edges: np.ndarray  # (L - 1,) confidences between the levels, ascending
    levels: np.ndarray  # (L,) the share right in each
    sharpness: float = 1.0

    def probability(self, votes: np.ndarray) -> np.ndarray:
        """Votes (N, T) on one candidate each → chance (N,) that the candidate is right, as the
        model alone sees it.
        """
        votes = np.nan_to_num(np.atleast_2d(np.asarray(votes, dtype=float)))
        if votes.shape[1] != len(self.teachers):
            raise DataError(
                f"votes have {votes.shape[1]} columns, but {len(self.teachers)} teachers are"
                f" trusted: {', '.join(self.teachers)}"
            )
        scaled = votes / self.scales
        # averaged over the weights (MacKay, 1992): what they leave open, the chance leaves open too
        spread = np.einsum("nt,tu,nu->n", scaled, self.covariance, scaled)
        return expit(self.sharpness * scaled @ self.weights / np.sqrt(1 + np.pi / 8 * spread))

    def choose(self, votes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Between a candidate and its opposite: (choice in {+1, -1}, the chance that it is
        right).
        """
        probability = self.probability(votes)
        sure = np.maximum(probability, 1 - probability)
        return np.where(probability >= 0.5, 1.0, -1.0), self.level(sure)

    def level(self, confidence: np.ndarray) -> np.ndarray:
        """The model's confidence in what was chosen → the share right at that level; unchanged
        where too few labels made no level.
        """
        if not len(self.levels):
            return confidence
        return self.levels[np.searchsorted(self.edges, confidence, side="right")]

    def weight_of(self) -> dict[str, float]:
        """Weight by name, to be read and kept."""
        return dict(zip(self.teachers, self.weights.tolist(), strict=True))


Judge = Callable[[Trust, int], tuple[float, bool]]


def fit_trust(
    votes: np.ndarray, truth: np.ndarray, teachers: Sequence[str], section: TrustSection
) -> Trust:
    """Learn from gold: ``votes`` (G, T) on candidates, ``truth`` (G,) +1 where right and -1 where
    wrong. Every row is a question of its own: the other choice is the opposite candidate.

    ``truth`` may be empty: then the prior alone speaks. Raises ``DataError`` where shapes or labels
    do not fit.
    """
    votes, truth = np.nan_to_num(np.asarray(votes, dtype=float)), np.asarray(truth, dtype=float)
    fitted = _fit(votes, truth, teachers, section)

    def judge(trust: Trust, row: int) -> tuple[float, bool]:
        chance = trust.probability(votes[row])[0]
        return max(chance, 1 - chance), (chance >= 0.5) == (truth[row] > 0)

    return _levelled(fitted, votes, truth, np.arange(len(truth)), judge=judge, section=section)


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
    rows, truth, questions = [], [], []
    for number, (groups, correct) in enumerate(zip(answers, right, strict=True)):
        for group in sorted(set(groups) - {-1}):
            rows.append(votes_for([*groups, AGAINST], group))
            truth.append(1.0 if correct[list(groups).index(group)] else -1.0)
            questions.append(number)
    names = (*teachers, NOBODY)
    votes, labels = np.array(rows).reshape(-1, len(names)), np.array(truth)
    fitted, asked = _fit(votes, labels, names, section), np.array(questions)

    def judge(trust: Trust, question: int) -> tuple[float, bool]:
        candidates = np.flatnonzero(asked == question)
        chances = trust.probability(votes[candidates])
        chosen = chances.argmax()
        return chances[chosen], labels[candidates[chosen]] > 0

    return _levelled(fitted, votes, labels, asked, judge=judge, section=section)


def _fit(
    votes: np.ndarray, truth: np.ndarray, teachers: Sequence[str], section: TrustSection
) -> Trust:
    """The posterior of the weights, as a normal around its mode."""
    if votes.ndim != 2 or votes.shape != (len(truth), len(teachers)):
        raise DataError(
            f"votes {votes.shape} must be (gold labels, teachers) = ({len(truth)}, {len(teachers)})"
        )
    if not np.isin(truth, (-1.0, 1.0)).all():
        raise DataError("truth must hold +1 (the candidate is right) or -1 (it is wrong)")
    scales = np.sqrt((votes**2).sum(axis=0) / max(len(votes), 1))
    scales = np.where(scales > 0, scales, 1.0)
    evidence = votes / scales * truth[:, None]  # (G, T), positive where the vote was right
    prior, precision = np.full(len(teachers), section.head_start), section.prior_spread**-2

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        margin, shift = evidence @ weights, (weights - prior) * precision
        value = np.logaddexp(0.0, -margin).sum() + 0.5 * shift @ (weights - prior)
        return value, shift - evidence.T @ expit(-margin)

    weights = minimize(loss, prior, jac=True, method="L-BFGS-B").x
    chance = expit(evidence @ weights)
    curvature = (evidence * (chance * (1 - chance))[:, None]).T @ evidence  # (T, T)
    covariance = np.linalg.inv(curvature + precision * np.eye(len(teachers)))
    none = np.zeros(0)
    return Trust(tuple(teachers), weights, covariance, scales, none, none, section.sharpness)


def _levelled(
    fitted: Trust,
    votes: np.ndarray,
    truth: np.ndarray,
    asked: np.ndarray,
    *,
    judge: Judge,
    section: TrustSection,
) -> Trust:
    """The same trust with its levels: how often it is right on gold questions left out of the fit.
    ``asked`` (G,) says which question a row is about, ``judge`` how a fit fares on one of them.
    """
    questions = np.unique(asked)
    count = min(len(questions) // section.labels_a_level, section.levels)
    if count < 1:
        return fitted
    fold = np.searchsorted(questions, asked) % section.folds
    sure, right = np.zeros(len(questions)), np.zeros(len(questions))
    for number in range(min(section.folds, len(questions))):
        kept = fold != number
        without = _fit(votes[kept], truth[kept], fitted.teachers, section)
        for place in range(number, len(questions), section.folds):
            sure[place], right[place] = judge(without, questions[place])
    parts = _parts(sure, count, section.level_gap)
    # so few labels say little by themselves: the model's own mean counts like some more of them
    pull = section.level_prior
    shares = [(right[part].sum() + pull * sure[part].mean()) / (len(part) + pull) for part in parts]
    edges = np.array([sure[part[0]] for part in parts[1:]])
    return replace(fitted, edges=edges, levels=np.maximum.accumulate(shares))


def _parts(sure: np.ndarray, count: int, gap: float) -> list[np.ndarray]:
    """The questions from the least to the most sure, in at most ``count`` equal parts whose means
    lie ``gap`` apart: what the model hardly tells apart, so few labels cannot.
    """
    order = np.argsort(sure, kind="stable")
    while count > 1:
        parts = np.array_split(order, count)
        means = np.array([sure[part].mean() for part in parts])
        if np.diff(means).min() >= gap:
            return parts
        count -= 1
    return [order]


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
    """Which questions to flag (N,): a majority above ``agreement`` whose chance of being right is
    below ``floor``. Their unanimity is worth less than it looks.
    """
    signs = np.sign(np.nan_to_num(votes))
    share = np.abs(signs.sum(axis=1)) / np.maximum(np.abs(signs).sum(axis=1), 1)
    agreeing = (1 + share) / 2 > agreement
    choice, sure = trust.choose(votes)
    majority = np.where(signs.sum(axis=1) >= 0, 1.0, -1.0)
    return agreeing & (np.where(choice == majority, sure, 1 - sure) < floor)
