"""Was a fact learned, does it hold in other words, and did it spill over? Scored on generated
text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_NOT_WORD = re.compile(r"[^\w\s]|_")


def normalise(text: str) -> str:
    """NFKC, lower case, without articles and punctuation, single spaces.

    >>> normalise("The  Parramatta\u00a0River!")
    'parramatta river'
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(_ARTICLES.sub(" ", _NOT_WORD.sub(" ", text)).split())


def contains(text: str, answers: Iterable[str]) -> bool:
    """Whether any accepted answer stands in the text, both normalised.

    >>> contains("She lives in Oslo.", ["Oslo"])
    True
    """
    said = normalise(text)
    return any(wanted in said for answer in answers if (wanted := normalise(answer)))


def is_exact(text: str, answers: Iterable[str]) -> bool:
    """Whether the text is an accepted answer and nothing else, both normalised."""
    return normalise(text) in {normalise(answer) for answer in answers}


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
