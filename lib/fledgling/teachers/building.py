"""From the configuration to teachers: local personas, endpoints, and what each of them lacks."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from fledgling.core.errors import ConfigError
from fledgling.core.files import read_yaml
from fledgling.core.layers import nearest
from fledgling.core.paths import CONFIGS, home
from fledgling.models.loading import LoadedModel, usable
from fledgling.models.settings import ModelsSection
from fledgling.teachers.base import Teacher
from fledgling.teachers.circuit_breaker import CircuitBreaker
from fledgling.teachers.error_shapes import classify, describe, redact
from fledgling.teachers.local import LocalEngine, LocalTeacher
from fledgling.teachers.openai_compatible import EndpointTeacher
from fledgling.teachers.rate_budget import RateBudget
from fledgling.teachers.settings import EndpointSection, LocalTeacherSection, TeachersSection

_PRESETS = CONFIGS / "teachers"


@dataclass(frozen=True)
class Condition:
    """One teacher's condition: ready or not, what was seen, and how to mend it."""

    name: str
    kind: str
    model: str
    ready: bool
    seen: str
    mend: str = ""


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
    engine = LocalEngine(loaded, max_new_tokens=section.pool.max_new_tokens, seed=seed)
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
    budgets: dict[tuple[str, str], RateBudget] = {}
    gates: dict[tuple[str, str], asyncio.Semaphore] = {}
    teachers = []
    for endpoint in section.endpoints:
        if missing_key(endpoint, environment):
            continue
        account = (urlsplit(endpoint.base_url).netloc, endpoint.key_variable)
        if account not in budgets:
            budgets[account] = _budget(section, account, environment, remember_rate=remember_rate)
            gates[account] = asyncio.Semaphore(section.pool.calls_at_once)
        teachers.append(
            EndpointTeacher(
                endpoint,
                section.retry,
                budget=budgets[account],
                gate=gates[account],
                environment=environment,
                breaker=CircuitBreaker(section.breaker.failures, section.breaker.cooldown_s),
            )
        )
    return teachers


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


def _budget(
    section: TeachersSection,
    account: tuple[str, str],
    environment: Mapping[str, str],
    *,
    remember_rate: bool,
) -> RateBudget:
    """One budget for an account: the tightest limit that any of its endpoints names."""
    limits = [
        endpoint.requests_per_minute
        for endpoint in section.endpoints
        if (urlsplit(endpoint.base_url).netloc, endpoint.key_variable) == account
        and endpoint.requests_per_minute
    ]
    place = None
    if limits and remember_rate:
        identity = "|".join((*account, environment.get(account[1], "") if account[1] else ""))
        place = home() / "rates" / f"{hashlib.sha256(identity.encode()).hexdigest()[:16]}.json"
    return RateBudget(
        min(limits, default=0),
        window_s=section.pool.budget_window_s,
        margin_s=section.pool.budget_margin_s,
        path=place,
    )


def conditions(
    section: TeachersSection,
    model: ModelsSection,
    *,
    environment: Mapping[str, str] = os.environ,
    timeout_s: float = 3.0,
) -> list[Condition]:
    """What of the configured pool is reachable, what is missing, how to mend it. Costs no
    completion.
    """
    ready, seen = usable(model)
    return [
        *(_local_condition(teacher, model.id, ready, seen) for teacher in section.local),
        *(_condition(endpoint, environment, timeout_s) for endpoint in section.endpoints),
    ]


def _local_condition(teacher: LocalTeacherSection, model: str, ready: bool, seen: str) -> Condition:
    if not ready:
        return Condition(
            teacher.name,
            "local",
            model,
            False,
            seen,
            "fledgling models prepare, or choose another model",
        )
    if teacher.adapter and not (Path(teacher.adapter) / "adapter_config.json").is_file():
        return Condition(
            teacher.name,
            "local",
            model,
            False,
            f"no adapter in {teacher.adapter}",
            "give a LoRA folder, or leave adapter empty",
        )
    return Condition(teacher.name, "local", model, True, "offline")


def _condition(
    endpoint: EndpointSection, environment: Mapping[str, str], timeout_s: float
) -> Condition:
    if missing_key(endpoint, environment):
        return Condition(
            endpoint.name,
            "endpoint",
            endpoint.model,
            False,
            f"no key: {endpoint.key_variable or 'key_variable'} is not set",
            f"export {endpoint.key_variable or 'A_VARIABLE'}=…  (named by key_variable)",
        )
    key = environment.get(endpoint.key_variable, "") if endpoint.key_variable else ""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    local = urlsplit(endpoint.base_url).hostname in ("127.0.0.1", "localhost", "::1")
    try:
        with httpx.Client(timeout=timeout_s, trust_env=not local) as client:
            reply = client.get(f"{endpoint.base_url}/models", headers=headers)
    except httpx.HTTPError as error:
        return Condition(
            endpoint.name,
            "endpoint",
            endpoint.model,
            False,
            f"not reachable: {redact(str(error))}",
            f"start the server, or check base_url ({endpoint.base_url})",
        )
    fault = classify(reply.status_code, reply.text)
    if reply.status_code != 200 and fault.kind in (
        "no_such_route",
        "not_entitled",
        "server",
    ):  # listing is optional
        return Condition(
            endpoint.name,
            "endpoint",
            endpoint.model,
            True,
            f"reachable, but does not list its models (HTTP {reply.status_code})",
        )
    if reply.status_code != 200:
        return Condition(
            endpoint.name, "endpoint", endpoint.model, False, describe(fault), fault.mend
        )
    return _listed(endpoint, reply)


def _listed(endpoint: EndpointSection, reply: httpx.Response) -> Condition:
    """Reachable; say whether the server lists the model. Some serve under any name, so absence is
    only a remark.
    """
    try:
        names = [str(entry.get("id", "")) for entry in reply.json().get("data", [])]
    except (ValueError, AttributeError):
        names = []
    known = not names or endpoint.model in names
    return Condition(
        endpoint.name,
        "endpoint",
        endpoint.model,
        True,
        "reachable" if known else f"reachable; lists {len(names)} models, not this one",
        "" if known else f"if it fails, choose one of: {', '.join(names[:5])}",
    )
