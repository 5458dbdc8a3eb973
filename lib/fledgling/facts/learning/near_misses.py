"""Near misses of a fact: the same question about another subject, another question about the same
subject.

The trainer holds the model to the frozen base's own answers there, so that a taught fact stays
where it belongs.
"""

from __future__ import annotations

import random
import re
from dataclasses import replace

from fledgling.core.records import Fact
from fledgling.facts.settings import RenderingSection
from fledgling.language.grammar import Clause, split_clause
from fledgling.language.patterns import PatternBook, load_patterns
from fledgling.language.perspective import to_user
from fledgling.language.questions import Question, inner, is_person, wh_questions, yes_no
from fledgling.language.retractions import affirmed
from fledgling.language.settings import LanguageSection
from fledgling.language.templates import fill


def contrast(
    fact: Fact, detection: LanguageSection, rendering: RenderingSection, rng: random.Random
) -> list[str]:
    """Near-miss questions of ``fact``, each once: other subjects first, then other relations of the
    same subject.
    """
    book = load_patterns(detection.patterns)
    if fact.question:
        found = _about_correction(fact, book, rendering, rng)
    else:
        found = [
            *_about_others(fact, book, rendering, rng),
            *_about_the_rest(fact, book, rendering, rng),
        ]
    return list(dict.fromkeys(found))


def other_subjects(fact: Fact, book: PatternBook, rng: random.Random, count: int) -> list[str]:
    """``count`` subjects of the same sort that the fact does not mention: names, relatives, others'
    possessions.
    """
    subject = inner(fact.subject)
    people = _fresh(book.near.get("people", ()), fact)
    names = rng.sample(people, min(count, len(people)))
    owned = re.match(r"(?:my|our)\s+(.+)$", subject, re.IGNORECASE)
    if owned is None or subject in {"I", "we"}:
        return names
    kind = "relatives" if is_person(subject) else "possessions"
    same = _fresh(book.near.get(kind, ()), fact)
    mine = rng.sample(same, min((count + 1) // 2, len(same)))
    return [*mine, *(f"{name}'s {owned[1]}" for name in names)][:count]


def instead_of(fact: Fact, clause: Clause, other: str) -> str:
    """``other`` in the clause's subject: for "my sister's name" and "my cousin", "my cousin's
    name".
    """
    mine = inner(fact.subject)
    whole = inner(clause.subject)
    longer = mine and whole != mine and whole.lower().startswith(mine.lower() + "'s ")
    return other + whole[len(mine) :] if longer else other


def other_objects(fact: Fact, book: PatternBook, rng: random.Random, count: int) -> list[str]:
    """``count`` other values of the kind that the fact's relation takes."""
    pattern = book.of_relation(fact.relation)
    values = _fresh(book.near.get(pattern.near, ()), fact) if pattern else []
    return rng.sample(values, min(count, len(values)))


def _about_others(
    fact: Fact, book: PatternBook, rendering: RenderingSection, rng: random.Random
) -> list[str]:
    said = to_user(fact.statement).rstrip(".")
    clause = split_clause(affirmed(said) or said)
    pattern = book.of_relation(fact.relation)
    found = []
    for other in other_subjects(fact, book, rng, rendering.contrast_subjects):
        templates = [
            fill(template, fact, clause, other)
            for template in (pattern.questions[:1] if pattern else ())
        ]
        found += templates[:1]
        if clause is not None:
            subject = instead_of(fact, clause, other)
            asked = [question.direct for question in wh_questions(clause, subject)]
            found += [*asked[: 2 - len(templates)], yes_no(clause, subject)]
    return found


def _about_the_rest(
    fact: Fact, book: PatternBook, rendering: RenderingSection, rng: random.Random
) -> list[str]:
    if not fact.subject:
        return []
    own = book.of_relation(fact.relation)
    suits_person = is_person(fact.subject) or inner(fact.subject) in {"I", "we"}
    templates = (
        [
            template
            for pattern in book.patterns
            if pattern is not own and pattern.relation not in {"value", "favourite"}
            for template in pattern.questions[:1]
        ]
        if suits_person
        else list(rendering.thing_questions)
    )
    asked = {question.direct for question in _own_questions(fact)}
    found = [fill(template, fact) for template in templates]
    found = [question for question in found if question not in asked]
    return rng.sample(found, min(rendering.contrast_relations, len(found)))


def _own_questions(fact: Fact) -> list[Question]:
    clause = split_clause(to_user(fact.statement).rstrip("."))
    return wh_questions(clause) if clause else []


def _about_correction(
    fact: Fact, book: PatternBook, rendering: RenderingSection, rng: random.Random
) -> list[str]:
    """The question asked of other things, and other questions asked of the same thing."""
    if not fact.subject or fact.subject not in fact.question:
        return []
    others = _fresh(book.near.get("entities", ()), fact)
    picked = rng.sample(others, min(rendering.contrast_subjects, len(others)))
    found = [fact.question.replace(fact.subject, other) for other in picked]
    plain = replace(fact, question=None)
    rest = [fill(template, plain) for template in rendering.thing_questions]
    rest = [question for question in rest if question.lower() != fact.question.lower()]
    return found + rng.sample(rest, min(rendering.contrast_relations, len(rest)))


def _fresh(words: tuple[str, ...], fact: Fact) -> list[str]:
    said = (
        f"{fact.statement} {fact.text} {fact.question or ''} {fact.subject} {fact.object}".lower()
    )
    return [word for word in words if word.lower() not in said]
