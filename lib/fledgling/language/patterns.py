"""Fact patterns: read from YAML, compiled with the ``regex`` package, matched within a time limit.

Users may write their own patterns; one that backtracks without end costs its ``timeout_ms``, not
the process.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import regex

from fledgling.core.errors import ConfigError
from fledgling.core.files import read_yaml
from fledgling.core.paths import DATA

log = logging.getLogger(__name__)
# "correction" is missing on purpose: it depends on the turn before, which no pattern sees.
KINDS = ("statement", "replacement", "retraction")
_KEYS = {"relation", "match", "min_confidence", "kind", "exclusive", "questions", "reverse", "near"}
_FIELDS = ("questions", "reverse")


@dataclass(frozen=True)
class Pattern:
    """One relation: the expressions that find it, and the templates that ask about it."""

    relation: str
    expressions: tuple[regex.Pattern[str], ...]
    min_confidence: float = 0.0
    kind: str = "statement"
    exclusive: bool = False
    questions: tuple[str, ...] = ()
    reverse: tuple[str, ...] = ()
    near: str = "things"


@dataclass(frozen=True)
class PatternBook:
    """All patterns, in the order in which they are tried, and the near-miss words by kind."""

    patterns: tuple[Pattern, ...]
    near: Mapping[str, tuple[str, ...]]

    def of_relation(self, relation: str) -> Pattern | None:
        """The pattern of that relation which carries question templates, or None."""
        return next(
            (item for item in self.patterns if item.relation == relation and item.questions), None
        )


@dataclass(frozen=True)
class Match:
    """Where a pattern matched: the words in its slots, and the share of the text it covers
    (0..1).
    """

    pattern: Pattern
    subject: str
    object: str
    coverage: float


def load_patterns(name: str) -> PatternBook:
    """Read a pattern file: a name in ``configs/`` or a path. Unchanged files are compiled once.

    Raises ``ConfigError`` for an unknown key, a missing group or a regular expression that does not
    compile.
    """
    path = Path(name).expanduser()
    path = path if path.is_absolute() else DATA / "language" / path
    if not path.is_file():
        raise ConfigError(
            f"detection.patterns = {name!r}: {path} does not exist; give a file in data/language/"
            " or a path"
        )
    # The time of change is part of the cache's key: an edited file is read again.
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _read(path: Path, _changed_ns: int) -> PatternBook:
    content = read_yaml(path)
    unknown = set(content) - {"fragments", "patterns", "near"}
    if unknown:
        raise ConfigError(
            f"{path}: unknown key {sorted(unknown)[0]!r}; allowed are fragments, patterns, near"
        )
    fragments = content.get("fragments") or {}
    entries = content.get("patterns") or []
    if not isinstance(entries, list) or not isinstance(fragments, dict):
        raise ConfigError(
            f"{path}: 'patterns' must be a list and 'fragments' a mapping of names to expressions"
        )
    patterns = tuple(
        _pattern(path, place, entry, fragments) for place, entry in enumerate(entries, start=1)
    )
    near = (content.get("near") or {}).items()
    return PatternBook(patterns, {kind: tuple(map(str, words)) for kind, words in near})


def _pattern(path: Path, place: int, entry: Any, fragments: Mapping[str, str]) -> Pattern:
    where = f"{path} pattern {place}"
    if not isinstance(entry, dict) or not entry.get("relation") or not entry.get("match"):
        raise ConfigError(
            f"{where} must be a mapping with at least 'relation' and 'match', not {entry!r}"
        )
    unknown = set(entry) - _KEYS
    if unknown:
        raise ConfigError(
            f"{where}: unknown key {sorted(unknown)[0]!r}; allowed are {', '.join(sorted(_KEYS))}"
        )
    kind = entry.get("kind", "statement")
    confidence = entry.get("min_confidence", 0.0)
    if kind not in KINDS:
        raise ConfigError(
            f"{where}: kind {kind!r} is not allowed; choose one of {', '.join(KINDS)}"
        )
    if not isinstance(confidence, int | float) or not 0.0 <= confidence <= 1.0:
        raise ConfigError(f"{where}: min_confidence {confidence!r} must be a number from 0 to 1")
    sources = [entry["match"]] if isinstance(entry["match"], str) else entry["match"]
    expressions = tuple(_compile(where, str(source), fragments) for source in sources)
    templates = {field: tuple(entry.get(field) or ()) for field in _FIELDS}
    return Pattern(
        str(entry["relation"]),
        expressions,
        float(confidence),
        kind,
        bool(entry.get("exclusive")),
        near=str(entry.get("near", "things")),
        **templates,
    )


def _compile(where: str, source: str, fragments: Mapping[str, str]) -> regex.Pattern[str]:
    # Fragments are pasted as text: `regex` has subroutines, but they cannot hold named groups.
    for name, fragment in fragments.items():
        source = source.replace(f"%{name}%", str(fragment))
    try:
        compiled = regex.compile(source, regex.IGNORECASE)
    except regex.error as error:
        raise ConfigError(f"{where}: {source!r} is not a regular expression: {error}") from error
    if not {"subject", "object"} <= set(compiled.groupindex):
        raise ConfigError(
            f"{where}: {source!r} needs the named groups (?P<subject>…) and (?P<object>…)"
        )
    return compiled


def match_pattern(pattern: Pattern, text: str, timeout_ms: float) -> Match | None:
    """The first of the pattern's expressions that matches ``text`` or its start, within the time
    limit.
    """
    for expression in pattern.expressions:
        try:
            # The whole sentence first: a lazy group would else stop at the first word.
            limit = timeout_ms / 1000.0
            whole = expression.fullmatch(text, timeout=limit)
            found = whole or expression.match(text, timeout=limit)
        # A user's expression may backtrack for ever; the others still get their turn.
        except TimeoutError:
            log.warning(
                "a pattern of %r took longer than %.0f ms and was skipped",
                pattern.relation,
                timeout_ms,
            )
            continue
        if found is None:
            continue
        subject, value = (found["subject"] or "").strip(" ,'"), (found["object"] or "").strip(" ,.")
        if subject and value:
            return Match(pattern, subject, value, len(found.group()) / len(text))
    return None
