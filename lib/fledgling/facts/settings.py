"""The ``facts`` section: how a fact becomes rows, how fast it is learned, with which brakes, and
what is remembered.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fledgling.core.settings import Count, CountOrZero, NonNegative, Positive, Section, Share
from fledgling.models.settings import AdapterSection, LoraSection


class RatesSection(Section):
    """Multipliers of ``learning.lr``, the rate of a fact heard for the first time."""

    regular: NonNegative
    question: NonNegative
    repeated: Annotated[float, Field(ge=1.0)]
    largest: Annotated[float, Field(ge=1.0)]


class LearningSection(Section):
    """One update is one optimizer step over one minibatch of rows."""

    placement: Literal[
        "prefix",
        "per_fact",
        "shared",
        "in_prompt",
        "reader",
        "echo",
        "retrieved",
        "retrieved_adapter",
    ]
    wait_for: CountOrZero
    rows: Literal["practised", "rendered", "acknowledgement"]
    row_kinds: list[
        Literal["question", "acknowledgement", "cloze", "reverse", "recall", "yes_no"]
    ] = Field(min_length=1)
    one_answer: bool
    reply_prefix: str
    lr: Positive
    lr_decay: Annotated[float, Field(ge=0.0, lt=1.0)]
    beta1: Share
    beta2: Share
    weight_decay: NonNegative
    clip_norm: Positive
    max_updates: Count
    max_rows: Count
    stop_loss: NonNegative
    own_replies: bool
    rates: RatesSection


class PrefixSection(Section):
    """A fact's own keys and values."""

    first_layer: CountOrZero


class TokenWeightsSection(Section):
    """Factors on a token's loss weight."""

    entity: Positive
    content: Positive
    filler: Positive
    repeated: Positive
    first: Positive
    by_row: bool


class KLSection(Section):
    """The pull towards the frozen base."""

    weight: NonNegative
    anchors: CountOrZero
    contrast: CountOrZero
    answer_tokens: Count
    confident_share: Share
    hold_budget: bool
    budget: Positive
    smallest_weight: Positive
    largest_weight: Positive


class ReplaySection(Section):
    """Rows of earlier facts beside the new ones."""

    rows: CountOrZero
    strategy: Literal["importance", "highest_loss", "least_rehearsed", "mixed", "random"]
    weight: NonNegative


class GuardSection(Section):
    """When a learned fact is taken back."""

    enabled: bool
    kl_budget: Positive
    anchors: CountOrZero
    recheck_facts: CountOrZero
    loss_margin: Positive
    retries: CountOrZero
    shrink: Annotated[float, Field(gt=0.0, lt=1.0)]


class GateSection(Section):
    """Whether a question concerns something taught."""

    enabled: bool
    threshold: Share
    candidates: Count
    min_similarity: Share
    steps: Annotated[int, Field(ge=1, le=3)]
    chains: Count
    link_facts: Count
    chain_threshold: Share
    chain_doubt: Share


class ConsolidationSection(Section):
    """How what was learned of many facts is folded into one: prefixes (slots to untold), or LoRA
    adapters (adapter to damping).
    """

    at_end: bool
    slots: Annotated[int, Field(ge=8, le=4096)]
    updates: CountOrZero
    rows: Count
    lr: Positive
    untold: CountOrZero
    adapter: LoraSection
    rewordings: CountOrZero
    openings: list[str]
    near_misses: CountOrZero
    held_weight: NonNegative
    prompt_weight: Share
    damping: Positive


class RegularizerSection(Section):
    """Remedies of the forgetting analysis, off by default."""

    ewc: NonNegative
    null_space: Share
    slow_weights: Share


class ExperimentSection(Section):
    """The size of notebooks 04 and 05."""

    facts: Count
    anchors: Count
    seeds: Count
    recipes: list[str]
    remedies: list[str]
    forgetting_facts: Count


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


class PracticeSection(Section):
    """The forms in which a fact is practised, and how many rows of each an update holds."""

    mixture: list[
        Literal[
            "question",
            "reverse",
            "recall",
            "cloze",
            "yes",
            "no",
            "one_word",
            "choice",
            "in_passing",
            "untold",
        ]
    ] = Field(min_length=1)
    alternatives: CountOrZero
    yes_no: list[str] = Field(min_length=1)
    one_word: list[str] = Field(min_length=1)
    choice: list[str] = Field(min_length=1)
    in_passing: list[tuple[str, str]]
    untold: str


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


class FactsSection(Section):
    """Online fact learning."""

    adapter: AdapterSection
    rendering: RenderingSection
    practice: PracticeSection
    memory: MemorySection
    learning: LearningSection
    prefix: PrefixSection
    token_weights: TokenWeightsSection
    kl: KLSection
    replay: ReplaySection
    guard: GuardSection
    gate: GateSection
    consolidation: ConsolidationSection
    regularizers: RegularizerSection
    experiment: ExperimentSection

    @property
    def first_trained_layer(self) -> int:
        """The lowest layer in which an update changes anything."""
        on = self.prefix if self.learning.placement == "prefix" else self.adapter
        return on.first_layer
