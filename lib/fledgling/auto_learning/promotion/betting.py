"""Is the challenger better? An anytime-valid test by betting, and its confidence sequence.

Each task i goes to the challenger with a known probability p_i; its score x_i lies in [0, 1]. With
a centre c_i that depends on the past alone,

    z_i = (x_i − c_i) · (challenger_i / p_i − champion_i / (1 − p_i))

has the expectation δ = mean(challenger) − mean(champion), whatever the scores' distribution and
however p_i and c_i are chosen before task i. Somebody who bets against "δ ≤ m" multiplies a capital
of 1 by 1 + λ_i (z_i − m) with a stake λ_i ≥ 0 set beforehand, small enough never to go broke. Under
"δ ≤ m" the capital is a nonnegative supermartingale, so that it *ever* exceeds 1/α has at most
probability α (Ville): looking after every task costs nothing. All m that no capital has refuted
form a confidence sequence for δ.

Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting" (JRSS B 2024);
stakes for a difference worth detecting, mixed over several such differences, are the method of
mixtures; the centre is what AIPW and CUPED subtract to reduce variance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fledgling.auto_learning.settings import BettingSection


@dataclass(frozen=True)
class Bets:
    """All that the stakes depend on, known before each task's score. Shapes (..., T)."""

    z: np.ndarray  # the weighted, centred score of each task
    lowest: np.ndarray  # the least value that z could have taken
    highest: np.ndarray  # the greatest
    spread: np.ndarray  # the expected square of z


@dataclass(frozen=True)
class Past:
    """What the champion's scores were before the test: where centre and spread start. Numbers, or
    (..., 1) for many tests at once.
    """

    mean: float | np.ndarray
    variance: float | np.ndarray
    tasks: float


def past_of(scores: np.ndarray, section: BettingSection, guess: float | None = None) -> Past:
    """Moments of scores (..., N) as (..., 1), the configured guess weighing as a few tasks more."""
    guess = section.past_mean if guess is None else guess
    tasks = section.past_tasks + scores.shape[-1]
    mean = (scores.sum(-1, keepdims=True) + guess * section.past_tasks) / tasks
    squares = ((scores - mean) ** 2).sum(-1, keepdims=True)
    return Past(mean, (squares + section.past_variance * section.past_tasks) / tasks, tasks)


def lay_bets(
    scores: np.ndarray,
    challenger: np.ndarray,
    shares: np.ndarray,
    past: Past,
    centres: np.ndarray | None = None,
) -> Bets:
    """Scores in [0, 1], who did each task, and with which probability the challenger: (..., T).

    ``centres`` are what the past alone expects each task to score; default the running mean.
    """
    if centres is None:
        centres = running_mean(scores, past)
    before = past.tasks + np.arange(scores.shape[-1])
    residuals = _sum_before((scores - centres) ** 2)
    variance = (past.variance * past.tasks + residuals) / before
    return Bets(
        z=(scores - centres) * np.where(challenger, 1.0 / shares, -1.0 / (1.0 - shares)),
        lowest=-np.maximum(centres / shares, (1.0 - centres) / (1.0 - shares)),
        highest=np.maximum((1.0 - centres) / shares, centres / (1.0 - shares)),
        spread=variance / (shares * (1.0 - shares)),
    )


def running_mean(scores: np.ndarray, past: Past) -> np.ndarray:
    """(..., T) mean of all scores *before* each one, over both variants, from ``past`` on."""
    before = past.tasks + np.arange(scores.shape[-1])
    return (past.mean * past.tasks + _sum_before(scores)) / before


def area_means(scores: np.ndarray, areas: np.ndarray, past: Past, area_tasks: float) -> np.ndarray:
    """(..., T) the same by area: an area of n tasks so far counts n / (n + ``area_tasks``), the
    mean of all areas the rest. The more the areas differ, the fewer tasks a test takes.
    """
    overall = running_mean(scores, past)
    centres = overall.copy()
    for area in np.unique(areas):
        here = areas == area
        known, total = _sum_before(here.astype(float)), _sum_before(np.where(here, scores, 0.0))
        mean = (total + area_tasks * overall) / (known + area_tasks)
        centres = np.where(here, mean, centres)
    return centres


def _sum_before(values: np.ndarray) -> np.ndarray:
    total = np.zeros_like(values)
    np.cumsum(values[..., :-1], axis=-1, out=total[..., 1:])
    return total


def log_capital(bets: Bets, section: BettingSection, difference: float = 0.0) -> np.ndarray:
    """(..., T) log of the capital after each task of the bet that δ > ``difference``.

    Per effect e worth detecting the stake is e / (e² + spread), which maximises the expected log
    growth to second order where δ − difference = e; the capital is split over the effects.
    """
    return _grow(bets.z - difference, bets.lowest - difference, bets.spread, section)


def log_capital_below(bets: Bets, section: BettingSection, difference: float = 0.0) -> np.ndarray:
    """The same for the bet that δ < ``difference``."""
    return _grow(difference - bets.z, difference - bets.highest, bets.spread, section)


def _grow(
    gain: np.ndarray, worst: np.ndarray, spread: np.ndarray, section: BettingSection
) -> np.ndarray:
    weights = np.array(section.effect_weights) / sum(section.effect_weights)
    affordable = section.largest_loss / np.maximum(-worst, 1e-9)  # what cannot lose has no limit
    capitals = []
    for effect in section.effects:
        stake = np.minimum(effect / (effect**2 + spread), affordable)
        capitals.append(np.cumsum(np.log1p(stake * gain), axis=-1))
    peak = np.maximum.reduce(capitals)
    parts = [weight * np.exp(log - peak) for weight, log in zip(weights, capitals, strict=True)]
    return peak + np.log(sum(parts))


def confidence_sequence(
    bets: Bets, section: BettingSection, *, alpha_low: float, alpha_high: float
) -> tuple[np.ndarray, np.ndarray]:
    """(T,) bounds of δ that hold at all times at once: the lower errs with probability
    ``alpha_low`` at most, ever, the upper with ``alpha_high``.

    A bound moves inwards only. It stands on a grid of differences from −1 to 1 and is rounded
    outwards, so its error is not more than stated.
    """
    grid = np.linspace(-1.0, 1.0, section.interval_points)
    low, high = np.full(bets.z.shape, -1.0), np.full(bets.z.shape, 1.0)
    for difference in grid:
        refuted = _ever(log_capital(bets, section, difference) >= -np.log(alpha_low))
        if not refuted[-1]:
            break
        low = np.where(refuted, difference, low)
    for difference in grid[::-1]:
        refuted = _ever(log_capital_below(bets, section, difference) >= -np.log(alpha_high))
        if not refuted[-1]:
            break
        high = np.where(refuted, difference, high)
    return low, high


def _ever(reached: np.ndarray) -> np.ndarray:
    return np.logical_or.accumulate(reached, axis=-1)
