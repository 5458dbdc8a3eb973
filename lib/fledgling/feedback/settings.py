"""The ``feedback`` section: values with unit and range in configs/defaults/feedback.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fledgling.core.settings import Count, NonNegative, Positive, Section, Share
from fledgling.models.settings import LoraSection


class TrainingSection(Section):
    """An adapter trained on examples: its shape, its passes over the data, its optimiser."""

    lora: LoraSection
    epochs: Count
    batch_size: Count
    accumulation: Count
    lr: Positive
    schedule: Literal["constant", "linear", "cosine"]
    warmup_share: Share
    weight_decay: NonNegative
    clip_norm: Positive
    max_tokens: Annotated[int, Field(ge=32, le=131072)]
    optimizer: Literal["auto", "adamw", "adamw_8bit", "paged_adamw_8bit"]
    gradient_checkpointing: Literal["auto", "on", "off"]
    checkpoint_seconds: Positive


class PreferencesSection(Section):
    """How pairs of a better and a worse reply are learned, where it differs from ``training``."""

    loss: Literal["dpo", "kto"]
    beta: Positive
    imitation: NonNegative
    lr: Positive
    epochs: Count


class TriggersSection(Section):
    """When the background trainer trains."""

    important: Count
    idle_seconds: Positive
    look_seconds: Positive


class SignalsSection(Section):
    """How near two turns must be to be about the same, and how a turn is judged."""

    same_topic: Share
    topic_change: Share
    rephrase: Share
    max_characters: Annotated[int, Field(ge=100, le=100_000)]
    min_probability: Share
    quality: dict[Literal["negative", "neutral", "positive"], tuple[Share, Share]]


class BufferSection(Section):
    """How much feedback is kept, and what goes when there is more."""

    capacity: Count
    shares: dict[Literal["positive", "correction", "negative", "neutral"], Share]
    half_life: Positive
    important: Share
    max_record_bytes: Annotated[int, Field(ge=1024)]
    instruction: str


class ExportSection(Section):
    """How an export is verified."""

    texts: Count


class HabitsSection(Section):
    """How a habit is learned from its corrections, and measured."""

    names: list[str] = Field(min_length=1)
    rehearsed: Count
    prompts: Count
    max_new_tokens: Count
    lr: Positive
    epochs: Count
    accumulation: Count


class FeedbackSection(Section):
    """From conversation to adapter."""

    signals: SignalsSection
    buffer: BufferSection
    training: TrainingSection
    preferences: PreferencesSection
    triggers: TriggersSection
    habits: HabitsSection
    export: ExportSection
