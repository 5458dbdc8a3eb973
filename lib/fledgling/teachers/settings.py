"""The ``teachers`` section: who is asked, within which limits, and how the answers become one."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from fledgling.core.errors import ConfigError
from fledgling.core.settings import Count, CountOrZero, NonNegative, Positive, Section, Share


class LocalTeacherSection(Section):
    """A persona on the local model; ``adapter`` is a LoRA folder, empty for the plain model."""

    name: str = Field(min_length=1)
    persona: str
    temperature: Annotated[float, Field(ge=0.0, le=2.0)] = 0.0
    adapter: str = ""


class EndpointSection(Section):
    """A model behind an OpenAI-compatible server. The key itself never stands here, only its
    variable's name.

    ``logprobs``: ask the server for token probabilities; where it gives none, ``confidence`` stands
    in.
    """

    name: str = Field(min_length=1)
    base_url: str
    model: str
    key_variable: str = ""
    needs_key: bool = True
    requests_per_minute: CountOrZero = 0
    temperature: Annotated[float, Field(ge=0.0, le=2.0)] = 0.2
    max_tokens: Annotated[int, Field(ge=1, le=8192)] = 256
    logprobs: bool = False
    confidence: Share = 0.6

    @field_validator("base_url")
    @classmethod
    def _http(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        if (
            "@" in url.split("//", 1)[1].split("/", 1)[0]
        ):  # not a ValueError: its report would show the value
            raise ConfigError(
                "an endpoint's base_url must not hold a user or password; "
                "put the key into an environment variable and name that in key_variable"
            )
        return url.rstrip("/")

    @field_validator("key_variable")
    @classmethod
    def _variable_name(cls, name: str) -> str:
        if name and re.fullmatch(r"[A-Z][A-Z0-9_]*", name) is None:
            raise ConfigError(
                "key_variable must be the NAME of an environment variable, such as NVIDIA_API_KEY; "
                "a key itself belongs into the environment, never into a file"
            )
        return name


class RetrySection(Section):
    attempts: Count
    call_timeout_s: Positive
    base_s: Positive
    cap_s: Positive


class BreakerSection(Section):
    failures: Count
    cooldown_s: Positive


class AgreementSection(Section):
    semantic: Share
    same: Share
    short_words: Count


class QualitySection(Section):
    completeness: NonNegative
    substance: NonNegative
    variety: NonNegative
    relevance: NonNegative
    relevance_full: Annotated[float, Field(gt=0.0, le=1.0)]
    confidence_weight: Share


class DecisionSection(Section):
    agreement: Share
    consensus: Share
    quality: Share
    choice: Literal["quality", "majority", "weighted", "trust"]
    combine: Literal["never", "on_caveat"]


class TrustSection(Section):
    prior_spread: Positive
    steadiness_gain: NonNegative
    head_start: float
    sharpness: Positive
    levels: Annotated[int, Field(ge=1, le=20)]
    abstain_below: Share
    unanimity_floor: Share
    bins: Annotated[int, Field(ge=2, le=100)]


class TeachingSection(Section):
    rounds: Count
    questions: Count
    gold: Count
    min_trust: Share
    anchors: Count


class ServiceSection(Section):
    poll_s: Positive
    log_bytes: Annotated[int, Field(ge=1000)]
    log_backups: Count
    retry_unanswered_s: Positive


class PoolSection(Section):
    max_teachers: Annotated[int, Field(ge=1, le=32)]
    quorum: Count
    patience: Annotated[float, Field(ge=0.0, le=10.0)]
    deadline_s: Positive
    concurrency: Count
    calls_at_once: Count
    hedge_after_s: NonNegative
    max_new_tokens: Annotated[int, Field(ge=1, le=4096)]
    embeddings_kept: Count
    budget_window_s: Positive
    budget_margin_s: NonNegative


class TeachersSection(Section):
    pool: PoolSection
    local: list[LocalTeacherSection]
    endpoints: list[EndpointSection]
    retry: RetrySection
    breaker: BreakerSection
    agreement: AgreementSection
    quality: QualitySection
    decision: DecisionSection
    trust: TrustSection
    teaching: TeachingSection
    service: ServiceSection

    @field_validator("endpoints")
    @classmethod
    def _different_names(cls, endpoints: list[EndpointSection]) -> list[EndpointSection]:
        names = [endpoint.name for endpoint in endpoints]
        if len(set(names)) < len(names):
            raise ValueError(f"must have different names, not {names}")
        return endpoints
