"""What a test is decided on: its tasks in the order of their assignment, one row each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fledgling.auto_learning.promotion.betting import Past, past_of
from fledgling.auto_learning.scores import worth
from fledgling.auto_learning.settings import (
    BettingSection,
    RulesSection,
    ScoreSection,
)


@dataclass(frozen=True)
class EvidenceRow:
    """One assigned task and what came of it. ``quality`` is None where nobody rated it;
    ``seconds`` is None where no outcome ever came, which counts as a failure.
    """

    task_id: str
    variant: str
    share: float
    area: str
    completed: bool
    quality: float | None
    seconds: float | None

    @property
    def by_challenger(self) -> bool:
        return self.variant == "challenger"


@dataclass(frozen=True)
class Evidence:
    """Rows in the order of assignment, as columns (T,)."""

    rows: tuple[EvidenceRow, ...]

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def challenger(self) -> np.ndarray:
        return np.array([row.by_challenger for row in self.rows], dtype=bool)

    @cached_property
    def shares(self) -> np.ndarray:
        return np.array([row.share for row in self.rows], dtype=float)

    @cached_property
    def completed(self) -> np.ndarray:
        return np.array([row.completed for row in self.rows], dtype=float)

    @cached_property
    def quality(self) -> np.ndarray:
        return np.array([_number(row.quality) for row in self.rows], dtype=float)

    @cached_property
    def seconds(self) -> np.ndarray:
        """(T,) seconds; infinite where no outcome came."""
        return np.array(
            [np.inf if row.seconds is None else row.seconds for row in self.rows], dtype=float
        )

    @cached_property
    def areas(self) -> np.ndarray:
        return np.array([row.area for row in self.rows], dtype=str)

    def scores(self, section: ScoreSection, rules: RulesSection) -> np.ndarray:
        """(T,) what each task was worth, 0 to 1."""
        return worth(self.completed, self.quality, section, rules)

    def fingerprint(self) -> str:
        """A hash of all rows: what a decision says it was made on."""
        lines = [json.dumps(list(vars(row).values())) for row in self.rows]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@dataclass(frozen=True)
class Before:
    """The champion's tasks before the test: where each comparison starts, and what is slow."""

    score: Past
    completion: Past
    slow: Past
    slow_seconds: float

    def to_json(self) -> dict[str, Any]:
        return {
            "score": vars(self.score),
            "completion": vars(self.completion),
            "slow": vars(self.slow),
            "slow_seconds": self.slow_seconds,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Before:
        pasts = {name: Past(**value[name]) for name in ("score", "completion", "slow")}
        return cls(**pasts, slow_seconds=value["slow_seconds"])


def start_from(
    scores: np.ndarray,
    completed: np.ndarray,
    seconds: np.ndarray,
    section: BettingSection,
    *,
    slow_factor: float,
    longest_s: float,
) -> Before:
    """What the champion's latest tasks (N,) say, N may be 0: then only the configured guess."""
    limit = slow_factor * float(np.quantile(seconds, 0.95)) if len(seconds) else longest_s
    return Before(
        score=_past(scores, section),
        completion=_past(completed, section),
        slow=_past((seconds > limit).astype(float), section, guess=0.0),
        slow_seconds=limit,
    )


def _past(values: np.ndarray, section: BettingSection, guess: float | None = None) -> Past:
    past = past_of(values, section, guess)
    return Past(past.mean.item(), past.variance.item(), past.tasks)


def collect_rows(rows: Sequence[Mapping[str, Any]]) -> Evidence:
    """Evidence from rows as the store or a decision's record holds them."""
    return Evidence(
        tuple(
            EvidenceRow(**{name: row[name] for name in EvidenceRow.__dataclass_fields__})
            for row in rows
        )
    )


def _number(value: float | None) -> float:
    return np.nan if value is None else value
