"""The ``tasks`` section: several tasks in one model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fledgling.core.settings import Count, CountOrZero, NonNegative, Positive, Section, Share
from fledgling.models.settings import AdapterSection

Strategy = Literal["alternating", "mixed", "curriculum", "sequential"]
Remedy = Literal["none", "rehearsal", "ewc", "distillation"]
Balancing = Literal["fixed", "uncertainty", "pcgrad"]
HeldOut = Annotated[float, Field(gt=0.0, lt=0.5)]


class TaskDataSection(Section):
    """How many exercises, and how they are divided."""

    path: str
    train_per_skill: Count
    held_out_per_skill: Count
    validation_share: HeldOut
    test_share: HeldOut


class GraphSection(Section):
    """The size of the graph backbone."""

    hidden: Annotated[int, Field(ge=8, le=2048)]
    layers: Annotated[int, Field(ge=1, le=24)]
    heads: Annotated[int, Field(ge=1, le=32)]
    feed_forward: Annotated[int, Field(ge=8, le=8192)]
    max_nodes: Annotated[int, Field(ge=8, le=1024)]


class LlmSection(Section):
    """What differs where the backbone is the language model."""

    train_per_skill: Count
    held_out_per_skill: Count
    epochs: Count
    updates_per_epoch: Count
    batch_size: Count
    lr: Positive
    adapter: AdapterSection


class TasksSection(Section):
    """One model, several tasks."""

    backbone: Literal["graph", "llm"]
    data: TaskDataSection
    graph: GraphSection
    llm: LlmSection
    strategy: Strategy
    remedy: Remedy
    balancing: Balancing
    weights: dict[str, Positive]
    epochs: Count
    updates_per_epoch: Count
    batch_size: Annotated[int, Field(ge=2)]
    lr: Positive
    matrix_lr: NonNegative
    muon_steps: Annotated[int, Field(ge=1, le=10)]
    warmup_share: Share
    later_phase_lr: Positive
    weight_decay: NonNegative
    clip_norm: Positive
    conflict_every: CountOrZero
    rehearsal_share: Share
    rehearsal_weight: Positive
    rehearsal_answers_weight: NonNegative
    ewc_strength: NonNegative
    ewc_examples: Count
    distillation_strength: NonNegative
    distillation_temperature: Positive
    seeds: Count
    comparison_epochs: Count
    efficiency_shares: list[Annotated[float, Field(gt=0.0, le=1.0)]] = Field(min_length=1)
