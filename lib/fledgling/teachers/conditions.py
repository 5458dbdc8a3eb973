"""What of the configured pool is reachable, what is missing, and how to mend it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from fledgling.core.files import parse_json
from fledgling.models.loading import usable
from fledgling.models.settings import ModelsSection
from fledgling.teachers.building import missing_key
from fledgling.teachers.error_shapes import classify, describe
from fledgling.teachers.openai_compatible import authorization, is_loopback
from fledgling.teachers.redaction import keys_in_use, read_key
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
    redact, mend = keys_in_use([endpoint], environment), "start the server, or check base_url"
    headers = authorization(read_key(endpoint, environment))
    direct = is_loopback(endpoint.base_url)
    try:
        with httpx.Client(timeout=timeout_s, trust_env=not direct) as client:
            reply = client.get(f"{endpoint.base_url}/models", headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        return False, f"not reachable: {redact(str(error))}", f"{mend} ({endpoint.base_url})"
    if reply.status_code == 200:
        seen, mend = _listed(endpoint.model, reply)
        return True, redact(seen), redact(mend)
    fault = classify(reply.status_code, reply.text, redact=redact)
    if fault.kind in _NO_LISTING:
        return True, f"reachable, but does not list its models (HTTP {reply.status_code})", ""
    return False, describe(fault), fault.mend


def _listed(model: str, reply: httpx.Response) -> tuple[str, str]:
    """Reachable; say whether the server lists the model. Some serve under any name, so absence is
    only a remark.
    """
    try:
        names = [str(entry["id"]) for entry in parse_json(reply.content)["data"]]
    except (ValueError, KeyError, TypeError):
        names = []
    if not names or model in names:
        return "reachable", ""
    seen = f"reachable; lists {len(names)} models, not this one"
    return seen, f"if it fails, choose one of: {', '.join(names[:5])}"
