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
from dataclasses import dataclass, replace

from fledgling.core.errors import DataError
from fledgling.core.records import Fact, Turn
from fledgling.language.corrections import Correction, find_correction
from fledgling.language.cues import cue, without
from fledgling.language.entities import find_entities
from fledgling.language.filters import reason_against, reason_against_turn
from fledgling.language.grammar import split_clause, unfronted
from fledgling.language.patterns import load_patterns, match_pattern
from fledgling.language.perspective import strip_lead_in, to_assistant
from fledgling.language.retractions import affirmed
from fledgling.language.sentences import expand, mend_apostrophes, split_sentences
from fledgling.language.settings import LanguageSection

# "This is my friend Malik" says what "Malik is my friend" says, which the patterns know.
_INTRODUCED = re.compile(
    r"^(?:This|That|this|that)(?:'s|\s+is)\s+(my|our)\s+([a-z][\w -]*?),?\s+((?:[A-Z]\w+\s?)+)$"
)
_OWNED = re.compile(r"(?:i|we|my|our)\b", re.IGNORECASE)
# The rules know English only; Latin letters with accents occur in its names.
_LATIN = re.compile(r"[A-Za-zÀ-ɏ]")
_LETTER = re.compile(r"[^\W\d_]")
_ENDS = ".!… "


@dataclass(frozen=True)
class Reading:
    """What was understood of one sentence before it becomes a fact. ``coverage``: the share of the
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
    # Question and answer from a form need no reading.
    if turn.question and turn.answer:
        return [_given_correction(turn, section)]
    # Cut before anything searches it: the cost of a turn must not grow with what is pasted in.
    text = turn.text[: section.max_characters * section.max_facts].strip()
    if not _is_readable(text, section) or reason_against_turn(text):
        return []
    facts: dict[str, Fact] = {}
    for piece in _joined_objections(split_sentences(mend_apostrophes(text))):
        if len(facts) == section.max_facts:
            break
        if len(piece) <= section.max_characters:
            fact = _from_sentence(piece, turn, section, is_first=not facts)
            # The same thing said twice in one turn is one fact.
            if fact is not None:
                facts.setdefault(fact.id, fact)
    return list(facts.values())


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
    reading = _general(plain) or Reading(plain)
    subject = reading.subject or _longest(find_entities(plain, section))
    return _fact(replace(reading, subject=subject), turn.text, section, section.min_confidence)


def fact_id(statement: str, question: str | None = None) -> str:
    """A short id that depends only on what is stated: a repeated fact has the same."""
    # Marks and case do not change what is stated, so they do not change the id.
    plain = " ".join(re.findall(r"\w+", f"{question or ''} {statement}".casefold()))
    return f"fact-{hashlib.sha256(plain.encode()).hexdigest()[:12]}"


def _is_readable(text: str, section: LanguageSection) -> bool:
    """Has words, mostly in Latin letters: what the rules can read."""
    letters = _LETTER.findall(text)
    return len(letters) > 1 and len(_LATIN.findall(text)) >= section.latin_share * len(letters)


def _joined_objections(pieces: list[str]) -> list[str]:
    """ "That's wrong." and what follows it belong together."""
    if len(pieces) > 1 and cue("only_objects", pieces[0]):
        return [f"{pieces[0]} {pieces[1]}", *pieces[2:]]
    return pieces


def _longest(names: tuple[str, ...]) -> str:
    return max(names, key=len, default="")


def _given_correction(turn: Turn, section: LanguageSection) -> Fact:
    question, answer = turn.question.strip(), turn.answer.strip()
    names = find_entities(question, section)
    return Fact(
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


def _from_sentence(
    piece: str, turn: Turn, section: LanguageSection, *, is_first: bool
) -> Fact | None:
    asked = turn.previous_question
    correction = find_correction(piece, asked, section) if is_first else None
    if correction is not None:
        return _from_correction(correction, piece, asked, section)
    reading = _read(strip_lead_in(piece), section)
    return _confident(reading, piece, section) if reading else None


def _from_correction(
    correction: Correction, piece: str, asked: str | None, section: LanguageSection
) -> Fact | None:
    # What stands corrected is read as a sentence first; its bare answer is the second best.
    reading = _read(correction.said, section) if correction.said else None
    if reading is not None:
        reading = replace(reading, kind="correction")
    elif correction.answer:
        answer = correction.answer
        reading = Reading(answer, "correction", "", answer.rstrip("."), "correction", True)
    if reading is None:
        return None
    if not asked:
        if reading.relation != "correction":
            return _confident(reading, piece, section)
        # With no question known there is little to teach, but it is worth a record.
        return _fact(reading, piece, section, section.min_confidence)
    # Who is meant stands in the question ("No, she lives in Bergen").
    names = find_entities(asked, section)
    reading = replace(reading, subject=reading.subject or _longest(names), exclusive=True)
    fact = _fact(reading, piece, section, 1.0, question=asked.strip())
    told = find_entities(correction.answer, section)
    return replace(fact, entities=tuple(dict.fromkeys((*names, *told))))


def _read(said: str, section: LanguageSection) -> Reading | None:
    """Understand one sentence, or None when it is not a fact."""
    said = _INTRODUCED.sub(r"\3 is \1 \2", said.rstrip(_ENDS))
    # Once before contractions are written out ("I'd", "let's" are cues), and once after.
    if reason_against(said):
        return None
    plain = unfronted(expand(strip_lead_in(said)).strip().rstrip(_ENDS))
    if reason_against(plain):
        return None
    retracted = affirmed(plain)
    if retracted is not None:
        return _read_retraction(plain, retracted, section)
    # It takes something back, but in a form that no rule can turn round.
    if cue("no_longer", plain) and cue("negation", plain):
        return None
    # "now" marks a replacement and would else end up in the object.
    current = without("current", plain).strip()
    reading = _match(current, section) or _general(plain)
    if reading is None:
        return None
    if current != plain or cue("changed", plain):
        reading = replace(reading, kind="replacement", exclusive=True)
    return replace(reading, text=plain)


def _read_retraction(plain: str, retracted: str, section: LanguageSection) -> Reading | None:
    """What ``plain`` takes back is understood by reading the sentence that it takes back."""
    if reason_against(retracted):
        return None
    reading = _match(retracted, section) or _general(retracted)
    if reading is None:
        return None
    return replace(reading, text=plain, kind="retraction", exclusive=False)


def _match(plain: str, section: LanguageSection) -> Reading | None:
    """The first pattern that matches enough of the sentence."""
    # "There is a piano in …": no pattern's subject stands first.
    if cue("existential", plain):
        return None
    for pattern in load_patterns(section.patterns).patterns:
        match = match_pattern(pattern, plain, section.timeout_ms)
        if match is None or match.coverage < section.least_coverage:
            continue
        if match.subject.endswith("used to"):  # what used to be is not so now
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


def _general(plain: str) -> Reading | None:
    """Any other plain statement: subject, verb and the rest."""
    clause = split_clause(plain)
    if clause is None:
        return None
    # "I see", "it is": grammatical, and nothing to remember. "Paula smokes" is something.
    says_little = clause.is_be or clause.subject.lower() in {"i", "we"}
    if says_little and not clause.rest.strip():
        return None
    return Reading(plain, subject=clause.subject, object=clause.rest)


def _confident(reading: Reading, piece: str, section: LanguageSection) -> Fact | None:
    confidence = _confidence(reading, section)
    is_sure = confidence >= max(section.min_confidence, reading.least)
    return _fact(reading, piece, section, confidence) if is_sure else None


def _confidence(reading: Reading, section: LanguageSection) -> float:
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


def _fact(
    reading: Reading,
    said: str,
    section: LanguageSection,
    confidence: float,
    question: str | None = None,
) -> Fact:
    statement = to_assistant(reading.text)
    return Fact(
        fact_id(statement, question),
        said,
        statement,
        reading.kind,
        reading.subject,
        reading.relation,
        reading.object,
        question,
        confidence,
        reading.exclusive,
        find_entities(reading.text, section),
    )
