"""From the configuration to teachers: local personas, endpoints, and a line for each left out."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fledgling.core.errors import ConfigError
from fledgling.core.files import read_yaml
from fledgling.core.layers import nearest
from fledgling.core.paths import CONFIGS, home
from fledgling.models.loading import LoadedModel
from fledgling.teachers.answers import Teacher
from fledgling.teachers.limits import CircuitBreaker, RateBudget, Spending
from fledgling.teachers.local import LocalEngine, LocalTeacher
from fledgling.teachers.openai_compatible import Account, EndpointTeacher
from fledgling.teachers.pool import TeacherPool
from fledgling.teachers.redaction import Secrets, keys_in_use, read_key
from fledgling.teachers.settings import EndpointSection, TeachersSection

_PRESETS = CONFIGS / "teachers"
Identity = tuple[str, str]  # host and key: what a server counts requests by


def endpoint_presets() -> list[str]:
    """The names of configs/teachers/*.yaml."""
    return sorted(path.stem for path in _PRESETS.glob("*.yaml"))


def preset_overrides(name: str) -> dict[str, Any]:
    """A preset as overrides for ``load_config``; ``local`` is empty. Raises ``ConfigError`` listing
    the names.
    """
    if name == "local":
        return {}
    if name not in endpoint_presets():
        names = ["local", *endpoint_presets()]
        raise ConfigError(
            f"teacher preset {name!r} is not known;{nearest(name, names)} there are:"
            f" {', '.join(names)}"
        )
    return read_yaml(_PRESETS / f"{name}.yaml")


def local_teachers(
    section: TeachersSection, loaded: LoadedModel, *, seed: int = 0
) -> list[LocalTeacher]:
    """The personas of ``section.local`` on one model, sharing one batching engine."""
    engine = LocalEngine(loaded, section.generation, seed=seed)
    return [LocalTeacher(teacher, engine) for teacher in section.local]


def endpoint_teachers(
    section: TeachersSection,
    *,
    environment: Mapping[str, str] = os.environ,
    remember: bool = True,
) -> list[EndpointTeacher]:
    """The endpoints of ``section`` that have their key, or need none. Those of one server and key
    share a rate budget, all of them a purse; both are kept on disk (``remember`` the rates too), so
    that a restart cannot exceed them.
    """
    ready = [endpoint for endpoint in section.endpoints if not missing_key(endpoint, environment)]
    redact, rules = keys_in_use(ready, environment), section.spending
    purse = Spending(rules.tokens_per_day, rules.cost_per_day, path=home() / "spending.json")
    together: dict[Identity, list[EndpointSection]] = {}
    for endpoint in ready:
        together.setdefault(_identity(endpoint, environment), []).append(endpoint)
    teachers: dict[str, EndpointTeacher] = {}
    for identity, members in together.items():
        budget = _budget(section, members, identity, remember=remember)
        gate = asyncio.Semaphore(section.pool.calls_at_once)
        account = Account(identity[1], budget, gate, purse, redact)
        for endpoint in members:
            breaker = CircuitBreaker(section.breaker.failures, section.breaker.cooldown_s)
            teachers[endpoint.name] = EndpointTeacher(
                endpoint, section, breaker=breaker, account=account
            )
    return [teachers[endpoint.name] for endpoint in ready]  # the order is that of asking


@dataclass(frozen=True)
class Members:
    """Who is in a pool: teachers, those who stand in where no teacher speaks, one line for each
    endpoint left out, and the keys in use.
    """

    teachers: tuple[Teacher, ...]
    stand_ins: tuple[Teacher, ...]
    notes: tuple[str, ...]
    redact: Secrets

    def pool(self, section: TeachersSection) -> TeacherPool:
        """These as a pool."""
        return TeacherPool(self.teachers, section, stand_ins=self.stand_ins, redact=self.redact)


def assemble(
    section: TeachersSection,
    loaded: LoadedModel | None,
    *,
    seed: int = 0,
    environment: Mapping[str, str] = os.environ,
) -> Members:
    """Endpoints are the pool, the personas of the local model their stand-ins; without a usable
    endpoint, or with ``pool.personas_vote``, the personas are teachers themselves.

    ``loaded`` may be ``None`` to have endpoints alone.
    """
    notes = [
        f"{endpoint.name}: {endpoint.key_variable} is not set, going on without it"
        for endpoint in section.endpoints
        if missing_key(endpoint, environment)
    ]
    endpoints = endpoint_teachers(section, environment=environment)
    personas = local_teachers(section, loaded, seed=seed) if loaded is not None else []
    redact = keys_in_use(section.endpoints, environment)
    if section.pool.personas_vote or not endpoints:
        return Members((*endpoints, *personas), (), tuple(notes), redact)
    return Members(tuple(endpoints), tuple(personas), tuple(notes), redact)


def missing_key(endpoint: EndpointSection, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the endpoint needs a key that is not in the environment."""
    return endpoint.needs_key and not read_key(endpoint, environment)


def _identity(endpoint: EndpointSection, environment: Mapping[str, str]) -> Identity:
    return urlsplit(endpoint.base_url).netloc, read_key(endpoint, environment)


def _budget(
    section: TeachersSection,
    members: Sequence[EndpointSection],
    identity: Identity,
    *,
    remember: bool,
) -> RateBudget:
    """One budget for an account: the tightest limit that any of its endpoints names."""
    limits = [endpoint.requests_per_minute for endpoint in members if endpoint.requests_per_minute]
    place = None
    if limits and remember:
        # the key stands in no file name: its hash tells two accounts of one host apart
        digest = hashlib.sha256("|".join(identity).encode()).hexdigest()[:16]
        place = home() / "rates" / f"{digest}.json"
    return RateBudget(
        min(limits, default=0),
        window_s=section.pool.budget_window_s,
        margin_s=section.pool.budget_margin_s,
        path=place,
    )
