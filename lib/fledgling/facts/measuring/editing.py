"""Was a fact learned, does it hold in other words, and did it spill over? Scored on generated
text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ProbeResult:
    """One probe asked: ``opened`` says whether the adapter answered rather than the base."""

    fact_id: str
    kind: str
    question: str
    answer: str
    hit: bool
    exact: bool
    opened: bool


@dataclass(frozen=True)
class NeighbourResult:
    """One neighbour question asked; ``hit`` when the answer holds a forbidden string that the
    base's does not.
    """

    fact_id: str
    kind: str
    question: str
    answer: str
    base_answer: str
    hit: bool
    opened: bool


def share(values: Sequence[bool] | Sequence[float]) -> float | None:
    """The mean, or None of nothing."""
    return sum(values) / len(values) if values else None


PROBE_METRICS = {"direct": "efficacy", "paraphrase": "generalization", "reverse": "reverse"}


def editing_metrics(
    probes: Sequence[ProbeResult], neighbours: Sequence[NeighbourResult]
) -> dict[str, float | None]:
    """``efficacy``, ``generalization``, ``reverse`` (share of probes answered; ``.exact`` for exact
    answers), ``near_miss`` (share of neighbour questions contaminated; also by kind), and the
    gate's precision and recall.
    """
    metrics: dict[str, float | None] = {}
    for kind, name in PROBE_METRICS.items():
        chosen = [probe for probe in probes if probe.kind == kind]
        metrics[name] = share([probe.hit for probe in chosen])
        metrics[f"{name}.exact"] = share([probe.exact for probe in chosen])
    metrics["near_miss"] = share([neighbour.hit for neighbour in neighbours])
    for kind in ("other_subject", "other_relation"):
        metrics[f"near_miss.{kind}"] = share([item.hit for item in neighbours if item.kind == kind])
    opened = sum(probe.opened for probe in probes)
    wrongly = sum(neighbour.opened for neighbour in neighbours)
    metrics["gate_recall"] = share([probe.opened for probe in probes])
    metrics["gate_precision"] = opened / (opened + wrongly) if opened + wrongly else None
    return metrics
