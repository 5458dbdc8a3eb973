"""Keys stay in the process: the values in use are taken out of whatever leaves it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from fledgling.teachers.settings import EndpointSection

# What looks like a key is taken out even where it is not one of ours: an answer may quote another.
_SHAPES = re.compile(r"\b(?:nvapi|sk|hf|gsk)[-_][\w-]{6,}|(?i:\bbearer)\s+\S+")
_STANDS_ALONE = 8  # from this length on a key is found inside words too; "abc" would be everywhere
_HIDDEN = "***"


@dataclass(frozen=True)
class Secrets:
    """The key values in use. Called on a text it returns the text without them, however they were
    written: plain, in another case, JSON-escaped, percent-encoded.

    >>> Secrets(("plainkey42",))("the key PLAINKEY42 is unknown")
    'the key *** is unknown'
    """

    values: tuple[str, ...] = field(default=(), repr=False)

    def __call__(self, text: str) -> str:
        for pattern in self._patterns():
            text = pattern.sub(_HIDDEN, text)
        return _SHAPES.sub(_HIDDEN, text)

    def _patterns(self) -> Iterable[re.Pattern[str]]:
        written = {
            form
            for value in self.values
            for form in (value, json.dumps(value)[1:-1], quote(value, safe=""))
        }
        # the longest first: a key that holds another one must not leave its rest behind
        for form in sorted(written, key=len, reverse=True):
            edge = "" if len(form) >= _STANDS_ALONE else r"(?<!\w){}(?!\w)"
            exact = re.escape(form)
            yield re.compile(edge.format(exact) if edge else exact, re.IGNORECASE)


def read_key(endpoint: EndpointSection, environment: Mapping[str, str]) -> str:
    """The endpoint's key, without the line end that a shell or an editor left on it; empty where
    there is none.
    """
    return environment.get(endpoint.key_variable, "").strip() if endpoint.key_variable else ""


def keys_in_use(endpoints: Iterable[EndpointSection], environment: Mapping[str, str]) -> Secrets:
    """The keys of these endpoints, as they stand in the environment."""
    found = {read_key(endpoint, environment) for endpoint in endpoints} - {""}
    return Secrets(tuple(sorted(found)))
