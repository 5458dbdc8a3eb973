"""The ``auto_learning`` section: values with unit and range in
configs/defaults/auto_learning.yaml.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from fledgling.core.settings import Count, CountOrZero, NonNegative, Positive, Section, Share
from fledgling.feedback.settings import TrainingSection

Error = Annotated[float, Field(gt=0.0, le=0.5)]
OpenShare = Annotated[float, Field(gt=0.0, lt=1.0)]


class MedallionSection(Section):
    """The engine of the tables, and how much it takes on at once."""

    threads: CountOrZero
    memory_mb: Annotated[int, Field(ge=64)]
    part_bytes: Annotated[int, Field(ge=1000)]
    commit_rows: Count
    check_rows: Count
    sampled: Count


class RulesSection(Section):
    """What a record must be to become a typed row; everything else is quarantined."""

    record_bytes: Annotated[int, Field(ge=100)]
    text_chars: Count
    name_pattern: str
    seconds: Positive
    count: Count
    lowest_quality: float
    highest_quality: float
    earliest: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    future_s: NonNegative
    late_h: Positive
    hostile: dict[str, str]

    @field_validator("hostile")
    @classmethod
    def _compiles(cls, patterns: dict[str, str]) -> dict[str, str]:
        for name, pattern in patterns.items():
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"has a broken pattern {name!r}: {error}") from error
        return patterns


class CollectorSection(Section):
    """Which outcomes are good enough to be learned from."""

    quality: float
    shortest_s: NonNegative
    longest_s: Positive
    reply_chars: Count
    learned_from: list[str]
    training_share: Share


class ReadinessSection(Section):
    """When there is enough to train on, and what that costs."""

    examples: Count
    chars_per_token: Positive
    usd_per_million_tokens: NonNegative
    hosted_hours: Positive
    tokens_per_second: Positive


class HostedSection(Section):
    """The chat file for a hosted fine-tuning service. It is written, never sent."""

    system: str
    file_bytes: Count
    example_tokens: Count


class ScoreSection(Section):
    """One number in [0, 1] for what a task was worth."""

    completion: Share
    unscored_quality: float


class BettingSection(Section):
    """The bets of the sequential test."""

    effects: list[OpenShare] = Field(min_length=1)
    effect_weights: list[Positive] = Field(min_length=1)
    largest_loss: OpenShare
    past_mean: Share
    past_variance: Annotated[float, Field(gt=0.0, le=0.25)]
    past_tasks: Positive
    history_tasks: CountOrZero
    area_tasks: Positive
    interval_points: Annotated[int, Field(ge=3)]

    @model_validator(mode="after")
    def _a_weight_each(self) -> Self:
        if len(self.effects) != len(self.effect_weights):
            raise ValueError("effects and effect_weights must be of one length")
        return self


class GateSection(Section):
    """When a challenger is promoted, held or rolled back."""

    unit: Literal["task", "user"]
    alpha: Error
    alpha_loss: Error
    tasks_per_variant: Count
    horizon: Count
    canary_share: OpenShare
    canary_tasks: CountOrZero
    decide_share: OpenShare
    overdue_s: Positive
    ratio_alpha: Error
    ratio_concentration: Positive


class WatchSection(Section):
    """What must not get worse while a challenger serves."""

    alpha: Error
    completion_margin: Share
    slow_margin: Share
    slow_factor: Annotated[float, Field(ge=1.0)]


class DocumentedSection(Section):
    """The rule of the source document, kept as the baseline."""

    tasks: Count
    quality_gain: Positive
    completion_gain: Positive


class GuardrailSection(Section):
    """What a model must pass before it may serve at all."""

    anchors: Count
    anchor_tokens: Count
    anchor_kl: Positive
    locality: Share
    slowdown: Annotated[float, Field(ge=1.0)]


class PredictionSection(Section):
    """Is a deployment worth its traffic?"""

    skip_below: Share
    live_spread: NonNegative
    bins: Annotated[int, Field(ge=2, le=50)]


class AreasSection(Section):
    """Which area to collect from next."""

    confidence: OpenShare
    head_start: Positive
    edge_width: NonNegative


class ServingSection(Section):
    """A reply that does not come, or is no reply, is replaced by the champion's."""

    stall_s: Positive
    reply_chars: Count


class DaemonSection(Section):
    """The daemon's clockwork."""

    collect_minutes: Positive
    readiness_at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    pipeline_at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    status_hours: Positive
    look_s: Positive
    jump_s: Positive


class TrialsSection(Section):
    """The simulated tests by which the gate is measured."""

    tests: Count
    completion: Share
    quality: float
    quality_spread: NonNegative
    gain: Share
    loss: Share
    batch: Count


class LifeSection(Section):
    """How much of everything a demonstration has."""

    staffed: Count
    examples: Count
    canary_tasks: CountOrZero
    look: Count
    trial: CountOrZero


class UsersSection(Section):
    """The simulated users of the demonstration, whose truth is known."""

    tasks_per_day: Count
    users: Count
    people_right: Share
    reply_tokens: Count
    areas: dict[str, Positive]


class AutoLearningSection(Section):
    """From outcomes to a promoted model."""

    folder: str
    medallion: MedallionSection
    rules: RulesSection
    collector: CollectorSection
    readiness: ReadinessSection
    training: TrainingSection
    hosted: HostedSection
    score: ScoreSection
    betting: BettingSection
    gate: GateSection
    watch: WatchSection
    documented: DocumentedSection
    guardrails: GuardrailSection
    prediction: PredictionSection
    areas: AreasSection
    serving: ServingSection
    daemon: DaemonSection
    trials: TrialsSection
    users: UsersSection
    life: LifeSection
