"""The ``memory`` section: values with unit and range in configs/defaults/memory.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fledgling.core.settings import Count, CountOrZero, NonNegative, Positive, Section, Share


class CorrectionsSection(Section):
    """Which stored corrections come into a prompt."""

    capacity: Count
    near: Share
    injected: Count
    template: str


class ConsolidationSection(Section):
    """What is done while nobody is talking, and for how long."""

    deep_updates: CountOrZero
    creative_updates: CountOrZero
    seconds: Positive
    facts: Count
    lr: Positive
    pull: NonNegative
    floor: Positive


class RouterSection(Section):
    """How a router learns which model to ask."""

    name: Literal["stdp", "knn", "logistic"]
    explore: dict[Literal["stdp", "knn", "logistic"], Share]
    neurons: Count
    active: Share
    steps: Count
    leak: Share
    trace: Share
    lr: Positive
    forget: Share
    neighbours: Count
    window: Count
    logistic_lr: Positive
    tolerated: NonNegative
    alarm: Positive


class MemoryExperimentSection(Section):
    """Sizes of notebook 07."""

    facts: Count
    arms: list[Literal["none", "deep", "creative", "both"]]
    seeds: Count
    queries: Count
    timed: Count


class MemorySection(Section):
    """Corrections, consolidation, routing, introspection."""

    corrections: CorrectionsSection
    consolidation: ConsolidationSection
    router: RouterSection
    port: Annotated[int, Field(ge=0, le=65535)]
    experiment: MemoryExperimentSection
