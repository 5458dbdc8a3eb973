"""What one statement says: its relation, subject and object, by pattern where one fits and else by
its clause.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from fledgling.core.files import read_yaml
from fledgling.core.paths import DATA
from fledgling.language.cues import cue, without
from fledgling.language.entities import find_entities
from fledgling.language.grammar import split_clause, unfronted
from fledgling.language.patterns import load_patterns, match_pattern
from fledgling.language.perspective import strip_lead_in
from fledgling.language.retractions import affirmed
from fledgling.language.sentences import expand
from fledgling.language.settings import LanguageSection
from fledgling.language.verbs import base_of

_OWNED = re.compile(r"(?:i|we|my|our)\b", re.IGNORECASE)
_NO_OBJECT = re.compile(r"\W*$")
_ENDS = ".!… "


@dataclass(frozen=True)
class Reading:
    """What was understood of one statement before it becomes a fact. ``coverage``: the share of the
    text that a pattern matched; ``least``: the confidence below which the pattern does not count.
    """

    text: str
    relation: str = "statement"
    subject: str = ""
    object: str = ""
    kind: str = "statement"
    exclusive: bool = False
    coverage: float = 0.0
    least: float = 0.0


def reworded(said: str, *, only_sure: bool = False) -> str:
    """A short form as the statement that it stands for, without lead-in and end mark.
    ``only_sure``: none that could be an order or small talk as well.

    >>> reworded("btw, call me Ziggy!")
    'I am called Ziggy'
    """
    plain = strip_lead_in(said).rstrip(_ENDS)
    for form in _short_forms():
        if (form.sure or not only_sure) and form.expression.search(plain):
            return form.expression.sub(form.full, plain, count=1)
    return plain


def full_statement(said: str, *, only_sure: bool = False) -> str:
    """A statement without contractions, fronted adverbial and end mark, and with the subject that
    was left out; ``only_sure`` as in ``reworded``.

    >>> full_statement("In Ohio I've two cats."), full_statement("work nights mostly")
    ('I have two cats in Ohio', 'I work nights mostly')
    """
    spoken = reworded(said, only_sure=only_sure)
    plain = unfronted(expand(spoken).strip().rstrip(_ENDS))
    first = plain.split(" ", 1)[0]
    if only_sure or split_clause(plain) is not None or base_of(first) is None or " " not in plain:
        return plain
    return f"I {first.lower()}{plain[len(first) :]}"


def read(plain: str, section: LanguageSection) -> Reading | None:
    """Understand a full statement, or None where no rule takes it apart.

    A retraction ("no longer", "any more") is understood by reading what it takes back.
    """
    retracted = affirmed(plain)
    if retracted is not None:
        reading = _match(retracted, section) or general(retracted)
        return reading and replace(reading, text=plain, kind="retraction", exclusive=False)
    # "now" marks a replacement and would else end up in the object.
    current = without("current", plain).strip()
    reading = _match(current, section) or general(plain)
    if reading is None:
        return None
    if current != plain or cue("changed", plain):
        reading = replace(reading, kind="replacement", exclusive=True)
    return replace(reading, text=plain)


def general(plain: str) -> Reading | None:
    """Any plain statement: subject, verb and the rest."""
    clause = split_clause(plain)
    if clause is None:
        return None
    # "I see", "it is": grammatical, and nothing to remember. "Paula smokes" is something.
    says_little = clause.is_be or clause.subject.lower() in {"i", "we"}
    if says_little and not clause.negation and _NO_OBJECT.match(clause.rest):
        return None
    return Reading(plain, subject=clause.subject, object=clause.rest)


def confidence_of(reading: Reading, section: LanguageSection) -> float:
    """A weighted mean of how much of the text a pattern covers and whether there is something to
    hold on to: names, or the user as the owner.
    """
    holds = len(find_entities(reading.text, section)) + bool(_OWNED.match(reading.subject))
    named = min(1.0, section.named_weight * holds)
    # No pattern: the clause alone gives the base confidence, names the rest up to one.
    if reading.relation == "statement":
        least = section.general_confidence
        return round(least + (1.0 - least) * section.named_weight * named, 4)
    weight = section.coverage_weight
    held = max(named, section.named_weight)
    return round(weight * reading.coverage + (1.0 - weight) * held, 4)


@dataclass(frozen=True)
class _ShortForm:
    expression: re.Pattern[str]
    full: str
    sure: bool


@lru_cache(maxsize=1)
def _short_forms() -> list[_ShortForm]:
    entries = read_yaml(DATA / "language" / "rewordings.yaml")["rewordings"]
    return [
        _ShortForm(
            re.compile(entry["match"], re.IGNORECASE), entry["full"], entry.get("sure", False)
        )
        for entry in entries
    ]


def _match(plain: str, section: LanguageSection) -> Reading | None:
    """The first pattern that matches enough of the sentence."""
    # "There is a piano in …": no pattern's subject stands first.
    if cue("existential", plain):
        return None
    for pattern in load_patterns(section.patterns).patterns:
        match = match_pattern(pattern, plain, section.timeout_ms)
        if match is None or match.coverage < section.least_coverage:
            continue
        # What used to be is not so now, and a denial is no value: both are plain statements.
        if match.subject.endswith("used to") or cue("negation", match.object):
            continue
        return Reading(
            plain,
            pattern.relation,
            match.subject.removesuffix("'s"),
            match.object,
            pattern.kind,
            pattern.exclusive,
            match.coverage,
            pattern.min_confidence,
        )
    return None
