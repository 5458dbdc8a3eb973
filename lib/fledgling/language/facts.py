"""A turn in, a fact out, or nothing: questions, orders, hearsay and small talk teach the model
nothing.

>>> from fledgling.core.layers import load_config
>>> section = load_config().detection
>>> detect(Turn("By the way, Lena lives in Oslo."), section).relation
'lives_in'
>>> detect(Turn("Where does Lena live?"), section) is None
True
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace

from fledgling.core.errors import DataError
from fledgling.core.records import Fact, Turn
from fledgling.language.corrections import correction_of
from fledgling.language.entities import find_entities
from fledgling.language.filters import (
    EXISTENTIAL,
    NO_LONGER,
    cue,
    reason_against,
    reason_against_turn,
)
from fledgling.language.grammar import split_clause, unfronted
from fledgling.language.patterns import Match, load_patterns, match_pattern
from fledgling.language.perspective import sentence, strip_lead_in, to_assistant
from fledgling.language.retractions import affirmed
from fledgling.language.sentences import expand, mend_apostrophes, split_sentences
from fledgling.language.settings import LanguageSection

_NOW = re.compile(
    r"\b(?:now|nowadays|these\s+days|currently|from\s+today|as\s+of\s+(?:today|now|this\s+\w+))\b,?\s*|"
    r"\s+instead(?:\s+of\s+.*)?$",
    re.IGNORECASE,
)
_INTRODUCED = re.compile(
    r"^(?:This|That|this|that)(?:'s|\s+is)\s+(my|our)\s+([a-z][\w -]*?),?\s+((?:[A-Z]\w+\s?)+)$"
)
_ONLY_OBJECTS = re.compile(
    r"^\W*(?:no+|nope|nah|wrong|incorrect|not\s+(?:quite|really)|false|"
    r"that(?:'s|\s+is)\s+(?:wrong|incorrect|not\s+\w+)|"
    r"you(?:'re|\s+are)\s+(?:wrong|mistaken))\W*$",
    re.IGNORECASE,
)
_CHANGED = re.compile(
    r"\b(?:(?:has|have)\s+)?(?:recently\s+|just\s+)?(?:been\s+)?"
    r"(?:changed|switched|moved|renamed)\s+to\b|"
    r"^\W*(?:my|our|the)\s+new\b",
    re.IGNORECASE,
)
_PLAIN_LETTERS = re.compile(r"[A-Za-zÀ-ɏ]")
_LETTERS = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Reading:
    """What was understood of one sentence before it becomes a fact."""

    text: str
    relation: str
    subject: str
    object: str
    kind: str
    exclusive: bool
    coverage: float
    least: float = 0.0


def detect(turn: Turn, section: LanguageSection) -> Fact | None:
    """The first fact in ``turn``, or None. See ``detect_all``."""
    facts = detect_all(turn, section)
    return facts[0] if facts else None


def detect_all(turn: Turn, section: LanguageSection) -> list[Fact]:
    """Every fact stated in ``turn``, in order, at most ``section.max_facts``.

    A turn that carries question and answer is a correction as it stands. Only the first
    ``max_characters`` times ``max_facts`` characters are read, so that a turn of any length costs
    bounded time.
    """
    if turn.question and turn.answer:
        return [_given_correction(turn, section)]
    text = turn.text[: section.max_characters * section.max_facts].strip()
    if not _is_readable(text) or reason_against_turn(text):
        return []
    facts: list[Fact] = []
    for piece in _joined_objections(split_sentences(mend_apostrophes(text))):
        if len(facts) >= section.max_facts:
            break
        if len(piece) <= section.max_characters:
            fact = _from_sentence(piece, turn, section, is_first=not facts)
            if fact is not None and fact.id not in {known.id for known in facts}:
                facts.append(fact)
    return facts


def _joined_objections(pieces: list[str]) -> list[str]:
    """ "That's wrong." and what follows it belong together."""
    if len(pieces) > 1 and _ONLY_OBJECTS.match(pieces[0]):
        return [f"{pieces[0]} {pieces[1]}", *pieces[2:]]
    return pieces


def take_at_word(turn: Turn, section: LanguageSection) -> Fact:
    """The fact in ``turn``; where none is detected, the whole turn as a general statement.

    For turns known to state something, such as the lines of a fact stream. Raises ``DataError`` for
    an empty turn.
    """
    fact = detect(turn, section)
    if fact is not None:
        return fact
    text = " ".join(turn.text[: section.max_characters].split())
    if not re.search(r"\w", text):
        raise DataError(
            f"the turn {turn.text!r} is empty: it states nothing; give the sentence to learn in"
            " `text`"
        )
    plain = unfronted(expand(strip_lead_in(mend_apostrophes(text))))
    reading = _general(plain) or Reading(plain, "statement", "", "", "statement", False, 0.0)
    names = find_entities(plain, section)
    subject = reading.subject or max(names, key=len, default="")
    statement = to_assistant(plain)
    return Fact(
        fact_id(statement),
        turn.text,
        statement,
        "statement",
        subject,
        "statement",
        reading.object,
        confidence=section.min_confidence,
        entities=names,
    )


def fact_id(statement: str, question: str | None = None) -> str:
    """A short id that depends only on what is stated: a repeated fact has the same."""
    plain = " ".join(re.findall(r"\w+", f"{question or ''} {statement}".casefold()))
    return f"fact-{hashlib.sha256(plain.encode()).hexdigest()[:12]}"


def _is_readable(text: str) -> bool:
    """Has words, mostly in Latin letters."""
    letters = _LETTERS.findall(text)
    return len(letters) >= 2 and len(_PLAIN_LETTERS.findall(text)) >= 0.8 * len(letters)


def _given_correction(turn: Turn, section: LanguageSection) -> Fact:
    question, answer = turn.question.strip(), turn.answer.strip()
    names = find_entities(question, section)
    return Fact(
        fact_id(answer, question),
        turn.text or f"{question} {answer}",
        answer,
        "correction",
        subject=max(names, key=len, default=""),
        relation="correction",
        object=answer.rstrip("."),
        question=question,
        exclusive=True,
        entities=(*names, *find_entities(answer, section)),
    )


def _from_sentence(
    piece: str, turn: Turn, section: LanguageSection, *, is_first: bool
) -> Fact | None:
    correction = correction_of(piece, turn.previous_question) if is_first else None
    if correction is not None:
        said, answer = correction
        reading = _read(said, section) if said else None
        if turn.previous_question:
            return _answering_correction(piece, answer, reading, turn.previous_question, section)
        if reading is not None:
            return _fact(replace(reading, kind="correction"), piece, section)
        return _bare_correction(piece, answer, section)
    reading = _read(strip_lead_in(piece), section)
    return _fact(reading, piece, section) if reading else None


def _read(said: str, section: LanguageSection) -> Reading | None:
    """Understand one sentence, or None when it is not a fact."""
    said = _INTRODUCED.sub(r"\3 is \1 \2", said.rstrip(".!… "))
    if reason_against(said):
        return None
    plain = expand(strip_lead_in(said)).strip().rstrip(".!… ")
    plain = unfronted(plain)
    if reason_against(plain):
        return None
    retracted = affirmed(plain)
    if retracted is not None:
        if reason_against(retracted):
            return None
        reading = _match(retracted, section) or _general(retracted)
        return replace(reading, text=plain, kind="retraction", exclusive=False) if reading else None
    if NO_LONGER.search(plain) and cue("negation", plain):
        return None
    current = _NOW.sub("", plain).strip()
    reading = _match(current, section) or _general(plain)
    if reading is not None and (current != plain or _CHANGED.search(plain)):
        reading = replace(reading, kind="replacement", exclusive=True)
    return replace(reading, text=plain) if reading else None


def _match(plain: str, section: LanguageSection) -> Reading | None:
    if EXISTENTIAL.search(plain):
        return None
    for pattern in load_patterns(section.patterns).patterns:
        match = match_pattern(pattern, plain, section.timeout_ms)
        if match is not None and match.coverage >= 0.5 and not match.subject.endswith("used to"):
            return _reading(match, plain)
    return None


def _reading(match: Match, plain: str) -> Reading:
    pattern = match.pattern
    subject = re.sub(r"'s$", "", match.subject)
    return Reading(
        plain,
        pattern.relation,
        subject,
        match.object,
        pattern.kind,
        pattern.exclusive,
        match.coverage,
        pattern.min_confidence,
    )


def _general(plain: str) -> Reading | None:
    """Any other plain statement: subject, verb and the rest."""
    clause = split_clause(plain)
    if clause is None or (
        not clause.rest.strip() and (clause.is_be or clause.subject in {"I", "We", "we"})
    ):
        return None
    return Reading(plain, "statement", clause.subject, clause.rest, "statement", False, 0.0)


def _fact(reading: Reading, piece: str, section: LanguageSection) -> Fact | None:
    entities = find_entities(reading.text, section)
    confidence = _confidence(reading, entities, section)
    if confidence < max(section.min_confidence, reading.least):
        return None
    statement = to_assistant(reading.text)
    return Fact(
        fact_id(statement),
        piece,
        statement,
        reading.kind,
        reading.subject,
        reading.relation,
        reading.object,
        confidence=confidence,
        exclusive=reading.exclusive,
        entities=entities,
    )


def _confidence(reading: Reading, entities: tuple[str, ...], section: LanguageSection) -> float:
    """A weighted mean of how much of the text a pattern covers and whether there is something to
    hold on to.
    """
    owned = bool(re.match(r"(?:i|we|my|our)\b", reading.subject, re.IGNORECASE))
    named = min(1.0, 0.5 * len(entities) + 0.5 * owned)
    if reading.relation == "statement":
        return round(
            section.general_confidence + (1.0 - section.general_confidence) * 0.5 * named, 4
        )
    weight = section.coverage_weight
    return round(weight * reading.coverage + (1.0 - weight) * max(named, 0.5), 4)


def _answering_correction(
    piece: str, answer: str, reading: Reading | None, question: str, section: LanguageSection
) -> Fact:
    statement = to_assistant(reading.text) if reading else sentence(answer)
    names = find_entities(question, section)
    subject = reading.subject if reading else max(names, key=len, default="")
    entities = tuple(dict.fromkeys((*names, *find_entities(answer, section))))
    return Fact(
        fact_id(statement, question),
        piece,
        statement,
        "correction",
        subject,
        reading.relation if reading else "correction",
        (reading.object if reading else answer).rstrip("."),
        question.strip(),
        1.0,
        True,
        entities,
    )


def _bare_correction(piece: str, answer: str, section: LanguageSection) -> Fact | None:
    """ "No, it's Canberra" with no question known: worth a record, though there is little to
    teach.
    """
    if not answer:
        return None
    statement = sentence(answer)
    return Fact(
        fact_id(statement),
        piece,
        statement,
        "correction",
        "",
        "correction",
        answer.rstrip("."),
        confidence=section.min_confidence,
        exclusive=True,
        entities=find_entities(answer, section),
    )
