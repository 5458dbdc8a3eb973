"""The gate: what is done with a challenger, from the evidence so far and from nothing else.

Promoted only when it is shown to be better, rolled back as soon as anything is shown to be worse,
held as long as neither is. Where the assignment itself is skewed, nothing is concluded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fledgling.auto_learning.promotion.betting import (
    Bets,
    Past,
    area_means,
    confidence_sequence,
    lay_bets,
    log_capital,
    log_capital_below,
)
from fledgling.auto_learning.promotion.documented import promotes_by_rule
from fledgling.auto_learning.promotion.evidence import Before, Evidence
from fledgling.auto_learning.promotion.ratio import log_evidence
from fledgling.auto_learning.settings import AutoLearningSection

PROMOTE, HOLD, ROLL_BACK, INVALID = "PROMOTE", "HOLD", "ROLL BACK", "INVALID"
VERDICTS = (PROMOTE, HOLD, ROLL_BACK, INVALID)


@dataclass(frozen=True)
class Finding:
    """The gate's verdict with its reason in a sentence.

    ``next_share`` is the challenger's traffic from now on, ``closes`` whether the test is over.
    ``numbers`` are what it rests on: logs of evidence, the interval, means by variant.
    """

    verdict: str
    reason: str
    next_share: float
    closes: bool
    numbers: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Curves:
    """(T,) log evidence after each task: of a gain, of a loss, of each thing watched, and of a
    skewed assignment; and the confidence sequence of the difference in score.
    """

    gain: np.ndarray
    loss: np.ndarray
    completion: np.ndarray
    slow: np.ndarray
    ratio: np.ndarray
    low: np.ndarray
    high: np.ndarray


def decide(
    evidence: Evidence, before: Before, section: AutoLearningSection, *, broken: str = ""
) -> Finding:
    """The verdict on the evidence so far, as if it had been looked at after every task.

    A pure function: the same evidence, past and settings give the same finding on any machine.
    ``broken`` says why nothing can be concluded whatever the evidence.
    """
    gate = section.gate
    if broken:
        return Finding(INVALID, broken, 0.0, closes=True)
    if len(evidence) == 0:
        return Finding(HOLD, "no task has been done yet", _share(0, section), closes=False)
    curves = trace(evidence, before, section)
    numbers = _numbers(evidence, curves, section)
    alarm = _alarm(curves, section)
    if alarm is not None:
        verdict, reason = alarm
        return Finding(verdict, reason, 0.0, closes=True, numbers=numbers)
    few = np.minimum(evidence.challenger.cumsum(), (~evidence.challenger).cumsum())
    proven = (few >= gate.tasks_per_variant) & (
        np.maximum.accumulate(curves.gain) >= -np.log(gate.alpha)
    )
    if proven.any():
        reason = f"the challenger is better, shown at task {int(proven.argmax()) + 1}"
        return Finding(PROMOTE, reason, 1.0, closes=True, numbers=numbers)
    if len(evidence) >= gate.horizon:
        reason = f"undecided after {len(evidence)} tasks; the champion stays"
        return Finding(HOLD, reason, 0.0, closes=True, numbers=numbers)
    share = _share(len(evidence), section)
    return Finding(HOLD, "undecided so far", share, closes=False, numbers=numbers)


def trace(evidence: Evidence, before: Before, section: AutoLearningSection) -> Curves:
    """The evidence after each task, from the first to the last."""
    betting, watch = section.betting, section.watch
    score = _bets(evidence, evidence.scores(section.score, section.rules), before.score, section)
    completion = _bets(evidence, evidence.completed, before.completion, section)
    slow = (evidence.seconds > before.slow_seconds).astype(float)
    slowness = _bets(evidence, slow, before.slow, section)
    low, high = confidence_sequence(
        score, betting, alpha_low=section.gate.alpha, alpha_high=section.gate.alpha_loss
    )
    return Curves(
        gain=log_capital(score, betting),
        loss=log_capital_below(score, betting),
        completion=log_capital_below(completion, betting, -watch.completion_margin),
        slow=log_capital(slowness, betting, watch.slow_margin),
        ratio=log_evidence(evidence.challenger, evidence.shares, section.gate.ratio_concentration),
        low=low,
        high=high,
    )


def _bets(evidence: Evidence, values: np.ndarray, past: Past, section: AutoLearningSection) -> Bets:
    centres = area_means(values, evidence.areas, past, section.betting.area_tasks)
    return lay_bets(values, evidence.challenger, evidence.shares, past, centres)


def _alarm(curves: Curves, section: AutoLearningSection) -> tuple[str, str] | None:
    """The first thing that forbids going on, the gravest first."""
    gate, watch = section.gate, section.watch
    alarms = (
        (
            INVALID,
            curves.ratio,
            gate.ratio_alpha,
            "the challenger did not get its share of the tasks: the assignment is skewed or"
            " outcomes are lost; mend that and start a new test",
        ),
        (ROLL_BACK, curves.loss, gate.alpha_loss, "the challenger's tasks are worth less"),
        (ROLL_BACK, curves.completion, watch.alpha, "the challenger completes fewer tasks"),
        (ROLL_BACK, curves.slow, watch.alpha, "the challenger is slow more often"),
    )
    for verdict, curve, alpha, reason in alarms:
        reached = curve >= -np.log(alpha)
        if reached.any():
            return verdict, f"{reason}, shown at task {int(reached.argmax()) + 1}"
    return None


def _share(tasks: int, section: AutoLearningSection) -> float:
    """A small share to stop losses first, equal shares to decide then."""
    gate = section.gate
    return gate.canary_share if tasks < gate.canary_tasks else gate.decide_share


def _numbers(evidence: Evidence, curves: Curves, section: AutoLearningSection) -> dict[str, Any]:
    scores = evidence.scores(section.score, section.rules)
    return {
        "tasks": len(evidence),
        "gain": float(curves.gain.max()),
        "loss": float(curves.loss.max()),
        "completion": float(curves.completion.max()),
        "slow": float(curves.slow.max()),
        "ratio": float(curves.ratio.max()),
        "low": float(curves.low[-1]),
        "high": float(curves.high[-1]),
        "documented_rule": bool(
            promotes_by_rule(
                evidence.challenger, evidence.completed, evidence.quality, section.documented
            )[-1]
        ),
        "champion": _means(evidence, scores, ~evidence.challenger),
        "challenger": _means(evidence, scores, evidence.challenger),
    }


def _means(evidence: Evidence, scores: np.ndarray, who: np.ndarray) -> dict[str, float | None]:
    rated = who & ~np.isnan(evidence.quality)
    timed = who & np.isfinite(evidence.seconds)
    return {
        "tasks": int(who.sum()),
        "score": _mean(scores[who]),
        "completion": _mean(evidence.completed[who]),
        "quality": _mean(evidence.quality[rated]),
        "seconds": _mean(evidence.seconds[timed]),
    }


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None
