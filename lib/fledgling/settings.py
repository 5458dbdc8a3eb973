"""The sections of the configuration, with types and ranges. Values and comments stand in configs/default.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fledgling.core.settings import Count, CountOrZero, NonNegative, Positive, Section, Share
from fledgling.facts.settings import (
    ExperimentSection,
    GateSection,
    GuardSection,
    KLSection,
    LearningSection,
    RegularizerSection,
    ReplaySection,
    TokenWeightsSection,
)
from fledgling.tasks.settings import MultitaskSection
from fledgling.teachers.settings import TeachersSection

__all__ = ["Config", "Count", "CountOrZero", "NonNegative", "Positive", "Section", "Share"]


class Name(Section):
    """Which layers were combined."""

    preset: str
    recipe: str
    model: str


class RuntimeSection(Section):
    device: Literal["auto", "cpu", "cuda"]
    dtype: Literal["auto", "float32", "bfloat16"]
    threads: CountOrZero


class ModelSection(Section):
    id: str
    description: str
    quantization: Literal["none", "nf4"]
    max_length: Annotated[int, Field(ge=32, le=131072)]


class AdapterSection(Section):
    rank: Annotated[int, Field(ge=1, le=256)]
    alpha: Positive
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)]
    targets: list[str] = Field(min_length=1)
    first_layer: CountOrZero
    last_layer: Annotated[int, Field(ge=-1)]
    start: Literal["random", "aligned"]
    start_scale: Positive
    start_damping: Positive


class GenerationSection(Section):
    max_new_tokens: Annotated[int, Field(ge=1, le=4096)]


class ReportingSection(Section):
    time_limit_seconds: Positive


class DetectionSection(Section):
    """How a turn becomes a fact."""

    patterns: str
    entities: Literal["regex", "capitalised", "spacy"]
    spacy_model: str
    min_confidence: Share
    general_confidence: Share
    coverage_weight: Share
    max_characters: Annotated[int, Field(ge=40, le=20000)]
    max_facts: Count
    timeout_ms: Annotated[float, Field(gt=0.0, le=1000.0)]


class RenderingSection(Section):
    """How a fact becomes training rows and near-miss questions."""

    acknowledgement: str
    frame: str
    unknown: str
    general_questions: list[str]
    thing_questions: list[str]
    recall: str
    recalls: CountOrZero
    negatives: CountOrZero
    rephrasings: CountOrZero
    contrast_subjects: CountOrZero
    contrast_relations: CountOrZero


class MemorySection(Section):
    """What the fact memory keeps, and what it rehearses."""

    capacity: Count
    importance: Literal["repetition", "recency", "hybrid"]
    repetition_weight: Share
    half_life: Positive
    decay_after: CountOrZero
    decay_half_life: Positive
    eviction: Literal["fifo", "lru", "importance", "hybrid"]
    eviction_candidates: Count
    importance_pool: Count


class Config(Section):
    """The whole configuration, resolved."""

    name: Name
    runtime: RuntimeSection
    reporting: ReportingSection
    model: ModelSection
    adapter: AdapterSection
    generation: GenerationSection
    teachers: TeachersSection
    detection: DetectionSection
    rendering: RenderingSection
    memory: MemorySection
    learning: LearningSection
    token_weights: TokenWeightsSection
    kl: KLSection
    replay: ReplaySection
    guard: GuardSection
    gate: GateSection
    regularizers: RegularizerSection
    experiment: ExperimentSection
    multitask: MultitaskSection
