"""Cues: turns of phrase that say what a sentence is, by name, from ``data/language/cues.yaml``."""

from __future__ import annotations

from functools import lru_cache

import regex

from fledgling.core.files import read_yaml
from fledgling.core.paths import DATA


@lru_cache(maxsize=1)
def _cues() -> dict[str, regex.Pattern[str]]:
    content = read_yaml(DATA / "language" / "cues.yaml")
    compiled = {}
    for name, alternatives in content["cues"].items():
        whole = "|".join(f"(?:{alternative})" for alternative in alternatives)
        # Shared word lists are written once and filled in here: YAML knows no variables.
        for word, expression in content["words"].items():
            whole = whole.replace(f"%{word}%", expression)
        # `regex` rather than `re`: the cues use possessive lookbehinds and classes such as \p{Lu}.
        compiled[name] = regex.compile(whole, regex.IGNORECASE | regex.VERBOSE)
    return compiled


def cue_names() -> list[str]:
    """The names of all cues, in order."""
    return list(_cues())


def cue(name: str, text: str) -> regex.Match[str] | None:
    """Where the cue of that name is found in ``text``, or None."""
    return _cues()[name].search(text)


def without(name: str, text: str) -> str:
    """``text`` with every place taken out where the cue of that name is found."""
    return _cues()[name].sub("", text)
