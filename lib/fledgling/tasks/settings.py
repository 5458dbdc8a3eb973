"""The ``tasks`` section: several tasks in one model."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from fledgling.core.settings import Count, CountOrZero, NonNegative, Positive, Section, Share
from fledgling.models.settings import LoraSection

Strategy = Literal["alternating", "mixed", "curriculum", "sequential"]
Remedy = Literal["none", "rehearsal", "ewc", "distillation"]
Balancing = Literal["fixed", "uncertainty", "pcgrad"]
# What strategies are compared as: a balancing other than fixed needs updates that see all tasks.
ComparedStrategy = Literal[
    "alternating", "mixed", "mixed.uncertainty", "mixed.pcgrad", "curriculum", "sequential"
]
BatchSize = Annotated[int, Field(ge=2)]
Momentum = Annotated[float, Field(ge=0.0, lt=1.0)]
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

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> GraphSection:
        if self.hidden % self.heads:
            raise ValueError(
                f"hidden {self.hidden} is not a multiple of heads {self.heads}; change one of them"
            )
        return self


class LlmSection(Section):
    """The language model as backbone: its adapter, and what stands ``instead`` of other values."""

    adapter: LoraSection
    instead: dict[str, Any]


class ExperimentSection(Section):
    """What notebook 03 and the benchmark compare, and with which budget."""

    seeds: Count
    epochs: Count
    strategies: list[ComparedStrategy] = Field(min_length=1)
    remedies: list[Remedy] = Field(min_length=1)
    shares: list[Annotated[float, Field(gt=0.0, le=1.0)]] = Field(min_length=1)


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
    batch_size: BatchSize
    skill_balance: Share
    lr: Positive
    matrix_lr: NonNegative
    adam_betas: tuple[Momentum, Momentum]
    muon_momentum: Momentum
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
    experiment: ExperimentSection
