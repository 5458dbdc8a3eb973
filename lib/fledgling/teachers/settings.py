"""The ``teachers`` section: who is asked, within which limits, and how the answers become one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from fledgling.core.errors import ConfigError
from fledgling.core.settings import Count, CountOrZero, NonNegative, Positive, Section, Share

Temperature = Annotated[float, Field(ge=0.0, le=2.0)]


class LocalTeacherSection(Section):
    """A persona on the local model; ``adapter`` is a LoRA folder, empty for the plain model."""

    name: str = Field(min_length=1)
    persona: str
    temperature: Temperature = 0.0
    adapter: str = ""


class MockManner(Section):
    """How a mock behaves. ``latency_s`` is the median answer time, drawn with ± ``jitter`` of it; a
    stall lasts ``stall_s``. Its confidence is normal around ``sure_right`` or ``sure_wrong``.
    """

    accuracy: Share = 0.8
    correlation: Share = 0.0
    failing: Share = 0.0
    stalling: Share = 0.0
    latency_s: NonNegative = 0.0
    jitter: Share = 0.3
    stall_s: Positive = 60.0
    sure_right: Share = 0.8
    sure_wrong: Share = 0.65
    sure_spread: NonNegative = 0.1


class EndpointDefaults(Section):
    """What an endpoint is where it says nothing else."""

    key_variable: str
    needs_key: bool
    system: str
    requests_per_minute: CountOrZero
    prompt_price: NonNegative
    completion_price: NonNegative
    temperature: Temperature
    max_tokens: Annotated[int, Field(ge=1, le=8192)]
    logprobs: bool
    confidence: Share

    @field_validator("key_variable")
    @classmethod
    def _variable_name(cls, name: str) -> str:
        if name and re.fullmatch(r"[A-Z][A-Z0-9_]*", name) is None:
            # not a ValueError: pydantic's report of it would show the value
            raise ConfigError(
                "key_variable must be the NAME of an environment variable, such as NVIDIA_API_KEY; "
                "a key itself belongs into the environment, never into a file"
            )
        return name


class EndpointSection(EndpointDefaults):
    """A model behind an OpenAI-compatible server; what it leaves out is taken from
    ``endpoint_defaults``. The key itself never stands here, only its variable's name.
    """

    name: str = Field(min_length=1)
    base_url: str
    model: str

    @field_validator("base_url")
    @classmethod
    def _http(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        try:
            parts = urlsplit(url)
            known = bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            known = False
        if not known:
            raise ValueError("must be an address, as in http://127.0.0.1:8000/v1")
        if "@" in parts.netloc or parts.query or parts.fragment:
            # not a ValueError: pydantic's report of it would show the value
            raise ConfigError(
                "an endpoint's base_url must not hold a user, a password or a query; "
                "put the key into an environment variable and name that in key_variable"
            )
        return url.rstrip("/")


class RetrySection(Section):
    attempts: Count
    call_share: Annotated[float, Field(gt=0.0, le=1.0)]
    base_s: Positive
    cap_s: Positive


class BreakerSection(Section):
    failures: Count
    cooldown_s: Positive
    lasting_s: Positive
    longest_rest_s: Positive


class SpendingSection(Section):
    tokens_per_day: CountOrZero
    cost_per_day: NonNegative
    characters_a_token: Positive


class AgreementSection(Section):
    semantic: Share
    same: Share
    short_words: Count
    same_claim: Share
    same_topic: Share


class QualitySection(Section):
    completeness: NonNegative
    substance: NonNegative
    variety: NonNegative
    relevance: NonNegative
    relevance_full: Annotated[float, Field(gt=0.0, le=1.0)]
    confidence_weight: Share
    bare_words: Count
    unfinished: Share
    refusal: Share


class DecisionSection(Section):
    agreement: Share
    consensus: Share
    quality: Share
    choice: Literal["quality", "majority", "weighted", "trust"]
    combine: Literal["never", "on_caveat", "always"]
    combiner: str


class TrustSection(Section):
    prior_spread: Positive
    head_start: float
    sharpness: Positive
    levels: Annotated[int, Field(ge=1, le=20)]
    labels_a_level: Count
    level_gap: Share
    level_prior: NonNegative
    folds: Annotated[int, Field(ge=2)]
    abstain_below: Share
    unanimity_floor: Share
    bins: Annotated[int, Field(ge=2, le=100)]
    coverage_at: Share


class TeachingSection(Section):
    rounds: Count
    questions: Count
    gold: Count
    min_trust: Share
    anchors: Count
    unsure: Share


class ServiceSection(Section):
    poll_s: Positive
    line_bytes: Annotated[int, Field(ge=1000)]
    latencies_kept: Annotated[int, Field(ge=2)]
    status_timeout_s: Positive
    port: Annotated[int, Field(ge=0, le=65535)]
    log_bytes: Annotated[int, Field(ge=1000)]
    log_backups: Count
    retry_unanswered_s: Positive


class PoolSection(Section):
    max_teachers: Annotated[int, Field(ge=1, le=32)]
    quorum: Count
    patience: Annotated[float, Field(ge=0.0, le=10.0)]
    deadline_s: Positive
    wait_share: Annotated[float, Field(gt=0.0, le=1.0)]
    concurrency: Count
    calls_at_once: Count
    reserve_after: Share
    personas_vote: bool
    answer_chars: Count
    reply_bytes: Annotated[int, Field(ge=1000)]
    embeddings_kept: Count
    budget_window_s: Positive
    budget_margin_s: NonNegative


class GenerationSection(Section):
    max_new_tokens: Annotated[int, Field(ge=1, le=4096)]
    prompt_tokens: Annotated[int, Field(ge=16)]
    batch_size: Count
    gather_s: NonNegative


class TeachersSection(Section):
    pool: PoolSection
    local: list[LocalTeacherSection]
    generation: GenerationSection
    mocks: dict[str, list[MockManner]]
    endpoint_defaults: EndpointDefaults
    endpoints: list[EndpointSection]
    retry: RetrySection
    breaker: BreakerSection
    spending: SpendingSection
    agreement: AgreementSection
    quality: QualitySection
    decision: DecisionSection
    trust: TrustSection
    teaching: TeachingSection
    service: ServiceSection

    @model_validator(mode="before")
    @classmethod
    def _fill_endpoints(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Each endpoint over the defaults, so that a preset names only what differs."""
        defaults, endpoints = values.get("endpoint_defaults"), values.get("endpoints")
        if not isinstance(defaults, Mapping) or not isinstance(endpoints, list):
            return values  # said by the checks of the two fields
        filled = [defaults | each if isinstance(each, Mapping) else each for each in endpoints]
        return values | {"endpoints": filled}

    @field_validator("endpoints")
    @classmethod
    def _different_names(cls, endpoints: list[EndpointSection]) -> list[EndpointSection]:
        names = [endpoint.name for endpoint in endpoints]
        if len(set(names)) < len(names):
            raise ValueError(f"must have different names, not {names}")
        return endpoints
