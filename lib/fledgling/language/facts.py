"""A turn in, facts out, or nothing: questions, orders, hearsay and small talk teach the model
nothing.

>>> from fledgling.settings import load_config
>>> section = load_config().language
>>> detect(Turn("By the way, Lena lives in Oslo."), section).relation
'lives_in'
>>> detect(Turn("Where does Lena live?"), section) is None
True
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from fledgling.core.answers import words as words_of
from fledgling.core.records import Fact, Turn
from fledgling.core.words import FUNCTION_WORDS
from fledgling.language.candidates import Candidate, find_candidates
from fledgling.language.entities import find_entities
from fledgling.language.filters import reason_against, reason_against_turn
from fledgling.language.perspective import strip_lead_in, to_assistant
from fledgling.language.readings import (
    Reading,
    confidence_of,
    full_statement,
    general,
    read,
    reworded,
)
from fledgling.language.sentences import mend_apostrophes
from fledgling.language.settings import LanguageSection
from fledgling.language.texts import check_text, find_fault, is_english


class Judge(Protocol):
    """Says how likely each candidate states something of the user's world, in earnest (0 to 1)."""

    def chances(self, candidates: Sequence[Candidate]) -> Sequence[float]: ...


def detect(turn: Turn, section: LanguageSection, judge: Judge | None = None) -> Fact | None:
    """The first fact in ``turn``, or None. See ``detect_all``."""
    facts = detect_all(turn, section, judge)
    return facts[0] if facts else None


def detect_all(turn: Turn, section: LanguageSection, judge: Judge | None = None) -> list[Fact]:
    """Every fact stated in ``turn``, in order, at most ``max_facts``.

    A turn that carries question and answer is a correction as it stands. With a ``judge`` (see
    ``detector``) it says what is a fact, and how sure that is; without one, rules do. Nothing is
    raised for any text: what cannot be read teaches nothing.
    """
    if turn.question and turn.answer:
        return _given_correction(turn, section)
    text = turn.text[: section.max_characters * section.max_facts]
    if find_fault(text) or not is_english(text, section.latin_share) or reason_against_turn(text):
        return []
    candidates = find_candidates(turn, section)
    if judge is None:
        found = [_by_rule(candidate, section) for candidate in candidates]
    else:
        found = _by_judgement(candidates, judge, section)
    facts: dict[str, Fact] = {}
    for fact in found:
        # The same thing said twice in one turn is one fact, and marks alone are none.
        if fact is not None and not find_fault(fact.statement):
            facts.setdefault(fact.id, _in_its_turn(fact, turn.text, section))
    return list(facts.values())[: section.max_facts]


def take_at_word(turn: Turn, section: LanguageSection, judge: Judge | None = None) -> Fact:
    """The fact in ``turn``; where none is detected, the likeliest of its statements, or, without a
    ``judge`` to tell, the whole turn as a general statement.

    For turns known to state something, such as the lines of a fact stream. Raises ``DataError`` for
    a turn without words.
    """
    fact = detect(turn, section, judge)
    if fact is not None:
        return fact
    likeliest = _likeliest(turn, section, judge) if judge is not None else None
    if likeliest is not None:
        return _in_its_turn(likeliest, turn.text, section)
    text = check_text(" ".join(turn.text[: section.max_characters].split()), "the turn")
    plain = full_statement(mend_apostrophes(text))
    reading = general(plain) or Reading(plain)
    subject = reading.subject or _longest(find_entities(plain, section))
    return _fact(replace(reading, subject=subject), turn.text, section, section.min_confidence)


def fact_id(statement: str, question: str | None = None) -> str:
    """A short id that depends only on what is stated: a repeated fact has the same."""
    # Marks and case do not change what is stated, so they do not change the id.
    plain = " ".join(re.findall(r"\w+", f"{question or ''} {statement}".casefold()))
    return f"fact-{hashlib.sha256(plain.encode()).hexdigest()[:12]}"


def _in_its_turn(fact: Fact, said: str, section: LanguageSection) -> Fact:
    """The fact with the turn that it was told in, where that says much that the statement leaves
    out: whom a pronoun means, or what was told over several sentences.
    """
    said = " ".join(said.split())
    left_out = set(words_of(said)) - set(words_of(fact.statement)) - FUNCTION_WORDS
    too_long = len(said.split()) > section.turn_words
    if fact.question or too_long or len(left_out) < section.left_out or find_fault(said):
        return fact
    return replace(fact, turn=said)


def _given_correction(turn: Turn, section: LanguageSection) -> list[Fact]:
    """Question and answer from a form need no reading."""
    question, answer = turn.question.strip(), turn.answer.strip()
    if find_fault(question) or find_fault(answer):
        return []
    names = find_entities(question, section)
    fact = Fact(
        fact_id(answer, question),
        turn.text or f"{question} {answer}",
        answer,
        "correction",
        subject=_longest(names),
        relation="correction",
        object=answer.rstrip("."),
        question=question,
        exclusive=True,
        entities=(*names, *find_entities(answer, section)),
    )
    return [fact]


def _by_rule(candidate: Candidate, section: LanguageSection) -> Fact | None:
    """The candidate as a fact where no cue speaks against it and the rules understand it."""
    piece, correction = candidate.piece, candidate.correction
    if correction is not None and (candidate.asked or not correction.said):
        return _correction(candidate, section)
    said = correction.said if correction is not None else piece.alone
    # What holds of a sentence (hearsay, a supposition) holds of its parts; an order need not.
    if reason_against(strip_lead_in(piece.sentence)) in ("hypothetical", "reported_speech"):
        return None
    # Once before contractions are written out ("I'd", "let's" are cues), and once after.
    plain = full_statement(said, only_sure=True)
    if reason_against(reworded(said, only_sure=True)) or reason_against(plain):
        return None
    reading = read(plain, section)
    if reading is None:
        return None
    confidence = confidence_of(reading, section)
    if confidence < max(section.min_confidence, reading.least):
        return None
    if correction is not None:
        reading = replace(reading, kind="correction")
    return _fact(reading, piece.said, section, confidence)


def _by_judgement(
    candidates: list[Candidate], judge: Judge, section: LanguageSection
) -> list[Fact | None]:
    """The candidates that the judge takes for statements, as well as the rules understand them.

    Who states one thing of a turn in earnest means the others, too, so that those need less.
    """
    found: list[Fact | None] = []
    chances = judge.chances(candidates)
    is_earnest = any(chance >= section.threshold for chance in chances)
    least = section.threshold_beside if is_earnest else section.threshold
    for candidate, chance in zip(candidates, chances, strict=True):
        if chance >= least:
            found.append(_as_read(candidate, chance, section))
    return found


def _as_read(candidate: Candidate, chance: float, section: LanguageSection) -> Fact:
    """A candidate that the judge takes for a statement, as the rules read it."""
    correction = candidate.correction
    if correction is not None and (candidate.asked or not correction.said):
        return _correction(candidate, section, chance)
    by_rule = _by_rule(candidate, section)
    if by_rule is not None:  # where both find it, it is what the rules read, as sure as them
        return by_rule
    plain = full_statement(correction.said if correction else candidate.piece.alone)
    reading = read(plain, section) or Reading(plain)
    if correction is not None:
        reading = replace(reading, kind="correction")
    return _fact(reading, candidate.piece.said, section, round(float(chance), 4))


def _likeliest(turn: Turn, section: LanguageSection, judge: Judge) -> Fact | None:
    """The likeliest statement of a turn that holds several, None where there is one or none."""
    candidates = find_candidates(turn, section)
    if len(candidates) < 2:
        return None
    chances = list(judge.chances(candidates))
    best = max(range(len(candidates)), key=chances.__getitem__)
    fact = _as_read(candidates[best], section.min_confidence, section)
    return None if find_fault(fact.statement) else fact


def _correction(
    candidate: Candidate, section: LanguageSection, chance: float | None = None
) -> Fact:
    """What a turn says instead. Its sentence is read where there is one, else its bare answer."""
    correction, asked = candidate.correction, candidate.asked
    answer = correction.answer or correction.said
    reading = Reading(answer, "correction", "", answer.rstrip("."), "correction", True)
    if correction.said:
        whole = full_statement(correction.said)
        reading = read(whole, section) or replace(reading, text=whole)
    names = find_entities(asked, section)
    reading = replace(reading, kind="correction", exclusive=True)
    # Who is meant stands in the question ("No, she lives in Bergen").
    reading = replace(reading, subject=reading.subject or _longest(names))
    # With no question known there is little to teach, but it is worth a record.
    sure = 1.0 if chance is None else round(float(chance), 4)
    fact = _fact(reading, candidate.piece.said, section, sure if asked else section.min_confidence)
    told = find_entities(answer, section)
    return replace(
        fact,
        id=fact_id(fact.statement, asked),
        question=asked or None,
        entities=tuple(dict.fromkeys((*names, *told))),
    )


def _longest(names: tuple[str, ...]) -> str:
    return max(names, key=len, default="")


def _fact(reading: Reading, said: str, section: LanguageSection, confidence: float) -> Fact:
    statement = to_assistant(reading.text)
    return Fact(
        fact_id(statement),
        said,
        statement,
        reading.kind,
        reading.subject,
        reading.relation,
        reading.object,
        confidence=confidence,
        exclusive=reading.exclusive,
        entities=find_entities(reading.text, section),
    )
