"""What of the configured pool is reachable, what is missing, and how to mend it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from fledgling.models.loading import usable
from fledgling.models.settings import ModelsSection
from fledgling.teachers.building import missing_key
from fledgling.teachers.error_shapes import classify, describe, redact
from fledgling.teachers.openai_compatible import is_loopback
from fledgling.teachers.settings import EndpointSection, LocalTeacherSection, TeachersSection

# a server that answers with one of these is there: listing its models is optional
_NO_LISTING = ("no_such_route", "not_entitled", "server")


@dataclass(frozen=True)
class Condition:
    """One teacher's condition: ready or not, what was seen, and how to mend it."""

    name: str
    kind: str
    model: str
    ready: bool
    seen: str
    mend: str = ""


def conditions(
    section: TeachersSection,
    model: ModelsSection,
    *,
    environment: Mapping[str, str] = os.environ,
) -> list[Condition]:
    """The condition of every teacher configured. Costs no completion."""
    found = [_local(teacher, model) for teacher in section.local]
    for endpoint in section.endpoints:
        seen = _endpoint(endpoint, environment, section.service.status_timeout_s)
        found.append(Condition(endpoint.name, "endpoint", endpoint.model, *seen))
    return found


def _local(teacher: LocalTeacherSection, model: ModelsSection) -> Condition:
    ready, seen = usable(model)
    mend = "" if ready else "fledgling models prepare, or choose another model"
    if ready and teacher.adapter and not (Path(teacher.adapter) / "adapter_config.json").is_file():
        ready, seen = False, f"no adapter in {teacher.adapter}"
        mend = "give a LoRA folder, or leave adapter empty"
    return Condition(teacher.name, "local", model.id, ready, "offline" if ready else seen, mend)


def _endpoint(
    endpoint: EndpointSection, environment: Mapping[str, str], timeout_s: float
) -> tuple[bool, str, str]:
    """(ready, what was seen, how to mend it)."""
    variable = endpoint.key_variable
    if missing_key(endpoint, environment):
        export = f"export {variable or 'A_VARIABLE'}=…  (named by key_variable)"
        return False, f"no key: {variable or 'key_variable'} is not set", export
    key = environment.get(variable, "") if variable else ""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        with httpx.Client(
            timeout=timeout_s, trust_env=not is_loopback(endpoint.base_url)
        ) as client:
            reply = client.get(f"{endpoint.base_url}/models", headers=headers)
    except httpx.HTTPError as error:
        mend = f"start the server, or check base_url ({endpoint.base_url})"
        return False, f"not reachable: {redact(str(error))}", mend
    if reply.status_code == 200:
        return _listed(endpoint, reply)
    fault = classify(reply.status_code, reply.text)
    if fault.kind in _NO_LISTING:
        return True, f"reachable, but does not list its models (HTTP {reply.status_code})", ""
    return False, describe(fault), fault.mend


def _listed(endpoint: EndpointSection, reply: httpx.Response) -> tuple[bool, str, str]:
    """Reachable; say whether the server lists the model. Some serve under any name, so absence is
    only a remark.
    """
    try:
        names = [str(entry.get("id", "")) for entry in reply.json().get("data", [])]
    except (ValueError, AttributeError):
        names = []
    if not names or endpoint.model in names:
        return True, "reachable", ""
    seen = f"reachable; lists {len(names)} models, not this one"
    return True, seen, f"if it fails, choose one of: {', '.join(names[:5])}"
