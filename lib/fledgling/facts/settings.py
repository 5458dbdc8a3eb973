"""The sections of online fact learning: how fast, on what, with which brakes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fledgling.core.settings import Count, CountOrZero, NonNegative, Positive, Section, Share


class RatesSection(Section):
    """Multipliers of ``learning.lr`` by context."""

    regular: NonNegative
    question: NonNegative
    fact: NonNegative
    repeated: Annotated[float, Field(ge=1.0)]
    replay: NonNegative
    smallest: Positive
    largest: Positive


class LearningSection(Section):
    """One update is one optimizer step over one minibatch of rows."""

    method: Literal["weights", "in_context", "hybrid"]
    adapters: Literal["per_fact", "shared"]
    rows: Literal["rendered", "acknowledgement"]
    row_kinds: list[Literal["question", "acknowledgement", "cloze", "reverse", "recall", "yes_no"]] = Field(
        min_length=1
    )
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
    consolidate_every: Count
    rates: RatesSection


class TokenWeightsSection(Section):
    """Factors on a token's loss weight."""

    entity: Positive
    content: Positive
    filler: Positive
    repeated: Positive
    first: Positive


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
