"""From the configuration to teachers: local personas, endpoints, and a line for each left out."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from fledgling.core.errors import ConfigError
from fledgling.core.files import read_yaml
from fledgling.core.layers import nearest
from fledgling.core.paths import CONFIGS, home
from fledgling.models.loading import LoadedModel
from fledgling.teachers.answers import Teacher
from fledgling.teachers.limits import CircuitBreaker, RateBudget
from fledgling.teachers.local import LocalEngine, LocalTeacher
from fledgling.teachers.openai_compatible import EndpointTeacher
from fledgling.teachers.settings import EndpointSection, TeachersSection

_PRESETS = CONFIGS / "teachers"
Account = tuple[str, str]  # host and key variable: what a server counts requests by


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
    remember_rate: bool = True,
) -> list[EndpointTeacher]:
    """The endpoints of ``section`` that have their key, or need none. Those of one server and key
    share a rate budget, kept on disk (``remember_rate``) so that a restart cannot exceed it.
    """
    ready = [endpoint for endpoint in section.endpoints if not missing_key(endpoint, environment)]
    accounts = {_account(endpoint) for endpoint in ready}
    budgets = {
        account: _budget(section, account, environment, remember_rate=remember_rate)
        for account in accounts
    }
    gates = {account: asyncio.Semaphore(section.pool.calls_at_once) for account in accounts}
    return [
        EndpointTeacher(
            endpoint,
            section.retry,
            budget=budgets[_account(endpoint)],
            gate=gates[_account(endpoint)],
            environment=environment,
            breaker=CircuitBreaker(section.breaker.failures, section.breaker.cooldown_s),
        )
        for endpoint in ready
    ]


def assemble(
    section: TeachersSection,
    loaded: LoadedModel | None,
    *,
    seed: int = 0,
    environment: Mapping[str, str] = os.environ,
) -> tuple[list[Teacher], list[str]]:
    """Endpoints first, local personas behind them as reserves; and one line for each endpoint left
    out.

    Without a usable endpoint the personas are the pool. ``loaded`` may be ``None`` to have
    endpoints alone.
    """
    notes = [
        f"{endpoint.name}: {endpoint.key_variable} is not set, going on without it"
        for endpoint in section.endpoints
        if missing_key(endpoint, environment)
    ]
    teachers: list[Teacher] = [*endpoint_teachers(section, environment=environment)]
    if loaded is not None:
        teachers += local_teachers(section, loaded, seed=seed)
    return teachers, notes


def missing_key(endpoint: EndpointSection, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the endpoint needs a key that is not in the environment."""
    return endpoint.needs_key and not environment.get(endpoint.key_variable, "")


def _account(endpoint: EndpointSection) -> Account:
    return urlsplit(endpoint.base_url).netloc, endpoint.key_variable


def _budget(
    section: TeachersSection,
    account: Account,
    environment: Mapping[str, str],
    *,
    remember_rate: bool,
) -> RateBudget:
    """One budget for an account: the tightest limit that any of its endpoints names."""
    members = [endpoint for endpoint in section.endpoints if _account(endpoint) == account]
    limits = [endpoint.requests_per_minute for endpoint in members if endpoint.requests_per_minute]
    place = None
    if limits and remember_rate:
        # the key itself stands in no file name: its hash tells two accounts of one host apart
        identity = "|".join((*account, environment.get(account[1], "") if account[1] else ""))
        place = home() / "rates" / f"{hashlib.sha256(identity.encode()).hexdigest()[:16]}.json"
    return RateBudget(
        min(limits, default=0),
        window_s=section.pool.budget_window_s,
        margin_s=section.pool.budget_margin_s,
        path=place,
    )
