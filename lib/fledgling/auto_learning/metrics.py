"""Numbers from records: how often the gate errs, how many tasks it takes, and a test's course."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from fledgling.auto_learning.pareto import Choice
from fledgling.auto_learning.promotion.evidence import Before, Evidence
from fledgling.auto_learning.promotion.gate import HOLD, PROMOTE, ROLL_BACK, Finding, trace
from fledgling.auto_learning.promotion.trials import Stops
from fledgling.auto_learning.settings import AutoLearningSection
from fledgling.core.records import Interval
from fledgling.core.statistics import share_interval

GATE, RULE, PEEKED = "the gate", "documented rule", "peeked z-test"


def join(stops: Iterable[Stops]) -> Stops:
    """Batches of simulated tests as one."""
    parts = list(stops)
    return Stops(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in Stops.__dataclass_fields__
        )
    )


def promoted_by(stops: Stops, share: float) -> list[dict[str, Any]]:
    """One row a rule: the share of the tests that it would ever promote."""
    found = {GATE: stops.gate_promotes, RULE: stops.by_rule, PEEKED: stops.by_z}
    return [
        {"rule": rule, "share": share, "promoted": float(np.isfinite(at).mean())}
        for rule, at in found.items()
    ]


def median_and_power(at: np.ndarray) -> tuple[float, float]:
    """Median task of the verdict over all tests, undecided ones counting as never, and the share
    that were decided.

    >>> median_and_power(np.array([100.0, 300.0, np.inf]))
    (300.0, 0.6666666666666666)
    """
    return float(np.median(at)), float(np.isfinite(at).mean())


def course_of(
    evidence: Evidence, before: Before, section: AutoLearningSection, finding: Finding, title: str
) -> dict[str, Any]:
    """What ``plot_test`` draws: the interval and the evidence after each task, and the verdict."""
    curves = trace(evidence, before, section)
    gain_limit, loss_limit = -np.log(section.gate.alpha), -np.log(section.gate.alpha_loss)
    curve, limit = (
        (curves.gain, gain_limit) if finding.verdict == PROMOTE else (curves.loss, loss_limit)
    )
    crossed = np.flatnonzero(curve >= limit)
    return {
        "low": curves.low.tolist(),
        "high": curves.high.tolist(),
        "gain": curves.gain.tolist(),
        "loss": curves.loss.tolist(),
        "shares": evidence.shares.tolist(),
        "gain_limit": float(gain_limit),
        "loss_limit": float(loss_limit),
        "verdict": finding.verdict,
        "at": int(crossed[0]) + 1 if len(crossed) and finding.verdict != HOLD else None,
        "title": title,
    }


def choices(rows: Sequence[dict[str, Any]], usd_per_second: float) -> list[Choice]:
    """Models as somebody who chooses sees them, from rows of model, score and seconds."""
    return [
        Choice(row["model"], row["score"], row["seconds"], row["seconds"] * usd_per_second)
        for row in rows
    ]


def share_right(rows: Sequence[Mapping[str, Any]], model: str) -> float:
    """Share of a model's tasks that were done rightly."""
    done = [row["success"] for row in rows if row["model"] == model]
    return float(np.mean(done)) if done else 0.0


def gate_metrics(trials: Mapping[str, Mapping[str, Any]]) -> dict[str, float | Interval]:
    """What simulated worlds say of the gate, beside the other rules: ``trials`` are the values of
    ``trials`` records by world.
    """
    names = {GATE: "false_promotion", RULE: "documented_rule", PEEKED: "peeked_z_test"}
    measured: dict[str, float | Interval] = {}
    for rule, name in names.items():
        worst = max(
            row["promoted"]
            for world in ("aa", "aa_equal")
            for row in trials[world]["rules"]
            if row["rule"] == rule
        )
        count = trials["aa"]["tests"]
        measured[f"aa.{name}"] = share_interval(round(worst * count), count)
    for world in ("gain5", "loss15"):
        count, power = trials[world]["tests"], trials[world]["power"]
        measured[f"{world}.median_tasks"] = trials[world]["median"]
        measured[f"{world}.power"] = share_interval(round(power * count), count)
    return measured


def life_metrics(steps: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """What became of the two chapters' challengers, and how rightly each variant did its tasks."""
    last = {step["chapter"]: step for step in steps if step["event"] == "decision"}
    served = [step for step in steps if step["event"] == "served"]
    measured = {
        "better.promoted": float(last["better"]["verdict"] == PROMOTE),
        "spoiled.rolled_back": float(last["spoiled"]["verdict"] == ROLL_BACK),
        "rollback.seconds": float(last["spoiled"]["seconds"]),
    }
    for chapter in last:
        for variant in ("champion", "challenger"):
            done = [
                step["success"]
                for step in served
                if (step["chapter"], step["variant"]) == (chapter, variant)
            ]
            measured[f"{chapter}.{variant}_right"] = float(np.mean(done)) if done else 0.0
        measured[f"{chapter}.tasks"] = float(last[chapter]["tasks"])
    return measured
