"""A turn as the statements that it may hold, each standing alone: "I'm Bea, 28, and my dog is old"
is three.

By rule: sentences are cut where a clause of its own begins, a verb without a subject takes the one
before it, and "she" becomes whoever was spoken of. Whether a piece states anything is not asked
here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fledgling.language.cues import cue
from fledgling.language.filters import is_command, is_question
from fledgling.language.grammar import Clause, looks_plural, split_clause
from fledgling.language.lexicon import (
    ADVERBS,
    BE,
    DETERMINERS,
    HAVE,
    MODALS,
    PREPOSITIONS,
    words,
)
from fledgling.language.perspective import strip_lead_in
from fledgling.language.questions import be_of, whose
from fledgling.language.sentences import expand
from fledgling.language.verbs import base_of, is_base_verb, third_person

# Where a clause may begin. "or" is missing: alternatives are one statement, if they are any.
_JOINT = re.compile(
    r"\s*;\s*|\s+[-–—/|]+\s+|\s*—\s*|,?\s+(?:and|but|while|whereas|although|though|plus)\s+"
    r"|,?\s+so\s+(?=(?:wh|how|should|can|could|is|are|do)\w*\b)|,\s+",
    re.IGNORECASE,
)
_OPENERS = words("i we he she it they my our his her their its the this that your there")
_AFTER_JOINT = re.compile(r"^(?:also|now|then|plus|and|but|so)\b[,\s]+", re.IGNORECASE)
_NO_SUBJECT = words("i we he she it they this that there you one who what")
_PRONOUN = re.compile(
    r"^(?P<pronoun>he|she|it|they|his|her|its|their)(?:'(?P<short>s|re|ve|d|ll))?\b\s*",
    re.IGNORECASE,
)
_OWNERS = words("his her its their")
_VERB_OF_SHORT = {"re": "are", "ve": "have", "d": "had", "ll": "will"}
_HAS_NEXT = re.compile(r"^(?:got|been|had)\b", re.IGNORECASE)
_NEW_THING = re.compile(
    r"^(?P<owner>i|we)\b.{0,20}?\b(?:have|own|adopted|got|keep|bought)\s+(?:an?|one)\s+"
    r"(?P<thing>[\w-]+)(?=$|[,.]|\s+(?:called|named|who|which|that|at|in|from|with|for|and)\b)",
    re.IGNORECASE,
)
_MINE = re.compile(r"\b(?:[Mm]y|[Oo]ur)\s+[a-z][\w-]*(?:\s+[A-Z]\w+)?")
_RELATIVE = re.compile(
    r"^(?P<who>.{1,60}?),\s+(?:who|which)\s+(?P<said>[^,]{1,120}),\s+(?P<rest>.+)$", re.IGNORECASE
)
_TRAILING_RELATIVE = re.compile(
    r"^(?P<main>.+?\b(?P<who>[A-Z][\w'-]+)),?\s+who\s+(?P<said>[^,]{3,120})$"
)
_LABEL = re.compile(
    r"^(?:(?:my|our)\s+)?(?P<label>[A-Za-z][\w'-]*(?:\s+[\w'-]+){0,2}?)(?:\s*[:?]|\s-)\s+"
    r"(?P<value>[^:?]{1,80})$",
    re.IGNORECASE,
)
# "I'm allergic to it": the clause before says what "it" is, and the two are one statement.
_POINTS_BACK = re.compile(r"\b(?:it|them|him|that|this|there|so|too|myself)\W*$", re.IGNORECASE)
_AGE = re.compile(r"^(?:aged?\s+)?\d{1,3}(?:\s+years?\s+old)?$", re.IGNORECASE)
_COMPLEMENT = re.compile(r"^(?:from|an?|born|married|single|divorced)\b(?!.*\bof\s+(?:us|them)\b)")
_NOUNS_TOO = words("name age work weight number height address")  # verbs as well
_ENDS = ".!… "


@dataclass(frozen=True)
class Piece:
    """A part of a turn: as it was ``said``, as a statement that stands ``alone``, and the
    ``sentence`` that it is from.
    """

    said: str
    alone: str
    sentence: str


def split_turn(sentences: list[str]) -> list[Piece]:
    """The statements that the sentences of a turn may hold, in order."""
    pieces: list[Piece] = []
    spoken_of = ""
    for sentence in _with_answers(sentences):
        clauses = _clauses(strip_lead_in(sentence))
        for said, alone in clauses:
            alone = _named(_unlabelled(alone), spoken_of)
            spoken_of = _spoken_of(alone) or spoken_of
            pieces.append(Piece(said if len(clauses) > 1 else sentence, alone, sentence))
    return pieces


def _with_answers(sentences: list[str]) -> list[str]:
    """ "My name? Pavel." is one statement: a noun with a question mark, and what it is."""
    joined: list[str] = []
    for sentence in sentences:
        asked = joined[-1] if joined and joined[-1].endswith("?") else ""
        if asked and _LABEL.match(f"{asked} {sentence}") and _is_noun(asked.rstrip("? ")):
            joined[-1] = f"{asked} {sentence}"
        else:
            joined.append(sentence)
    return joined


def _is_noun(label: str) -> bool:
    """Whether a label names a thing that somebody has: "blood type", not "is it"."""
    spoken = label.lower().split()
    if spoken[0] in _NO_SUBJECT | BE | HAVE | MODALS or (len(spoken) == 1 and is_base_verb(label)):
        return spoken[0] in _NOUNS_TOO
    return True


def _unlabelled(text: str) -> str:
    """ "Age: 52" → "My age is 52"."""
    match = _LABEL.match(text.rstrip(_ENDS))
    if match is None or not _is_noun(match["label"]) or _is_statement(match["value"]):
        return text
    thing = f"my {match['label']}"
    return f"{thing[0].upper()}{thing[1:]} {be_of(thing)} {match['value'].strip()}"


def _clauses(sentence: str) -> list[tuple[str, str]]:
    """Each clause of a sentence: as it was said, and standing alone."""
    relative = _RELATIVE.match(sentence)
    if relative is not None and split_clause(relative["who"]) is None:
        halves = [f"{relative['who']} {relative[half]}" for half in ("said", "rest")]
        if all(_is_statement(half) for half in halves):
            return [(sentence, half) for half in halves]
    trailing = _TRAILING_RELATIVE.match(sentence.rstrip(_ENDS))
    if trailing is not None and _is_statement(trailing["main"]):
        second = f"{trailing['who']} {trailing['said']}"
        return [(sentence, trailing["main"]), (sentence, second)]
    return _joined_clauses(sentence)


def _joined_clauses(sentence: str) -> list[tuple[str, str]]:
    joints = [match for match in _JOINT.finditer(sentence) if not _in_quotes(sentence, match)]
    pieces: list[tuple[str, str]] = []
    start, alone = 0, ""  # where the clause being read starts, and its statement when not as said
    end = joints[0].start() if joints else len(sentence)
    for place, joint in enumerate(joints):
        until = joints[place + 1].start() if place + 1 < len(joints) else len(sentence)
        part = sentence[joint.end() : until]
        after = _standing(alone or sentence[start:end], part, joint.group())
        if after is not None:
            pieces.append((sentence[start:end], alone or sentence[start:end]))
            start, alone = joint.end(), after if after != part else ""
        elif alone:
            alone += sentence[joint.start() : until]
        end = until
    return [*pieces, (sentence[start:end], alone or sentence[start:end])]


def _in_quotes(sentence: str, match: re.Match[str]) -> bool:
    return sentence[: match.start()].count('"') % 2 == 1


def _standing(before: str, part: str, joint: str) -> str | None:
    """``part`` as a statement of its own after the statement ``before``, or None where it belongs
    to that one.
    """
    plain = _AFTER_JOINT.sub("", part).strip()
    if _LABEL.match(before.rstrip(_ENDS)) and _LABEL.match(plain.rstrip(_ENDS)):
        return plain
    clause = _clause(before)
    asks = is_question(before) or is_command(before)
    says_something = any(mark.isalnum() for mark in plain)
    if not says_something or (clause is None and not asks):
        return None
    if cue("tag", plain) or _POINTS_BACK.search(plain):
        return None
    if _is_statement(plain):
        return plain
    # "I'm vegan, suggest a dinner": a wish begins, which belongs to nothing that was stated.
    if asks or is_question(plain) or ("," in joint and is_command(plain)):
        return plain if not asks else None
    if not clause.rest:  # "drives and repairs lorries": the object is still to come
        return None
    subject = "I" if clause.subject.lower() in {"name", "my name"} else clause.subject
    return (
        _with_subject(subject, plain)
        or _as_complement(subject, clause, plain)
        or _with_verb(clause, plain)
    )


def _with_subject(subject: str, part: str) -> str | None:
    """ "and works in Bonn" after "Lena is 30": the same subject again."""
    spoken = part.rstrip(_ENDS).split()
    place = 0
    while place < len(spoken) - 1 and spoken[place].lower() in ADVERBS:
        place += 1
    word = spoken[place].lower().removesuffix("n't")
    base = base_of(word) or ("do" if word in {"do", "does", "did"} else None)
    if base is None or place == len(spoken) - 1 or spoken[place][0].isupper():
        return None
    is_plural = looks_plural(subject) or subject.lower() in {"i", "we"}
    is_base = word == base and word not in HAVE
    return f"{subject} {part}" if is_plural or not is_base else None


def _as_complement(subject: str, clause: Clause, part: str) -> str | None:
    """ "28, from Ghent, a nurse" after "I'm Bea": more of what somebody is."""
    if not clause.is_be or clause.rest.split()[0].lower() in PREPOSITIONS:
        return None
    plain = part.rstrip(_ENDS)
    be = be_of(subject)
    if _AGE.match(plain) and _AGE.match(clause.rest):  # "the kids are 4 and 9"
        return None
    if _AGE.match(plain) or _COMPLEMENT.match(plain):
        return f"{subject} {be} {plain}"
    if plain.lower().startswith("no "):
        return f"{subject} {'have' if subject == 'I' else 'has'} {plain}"
    if _AGE.match(clause.rest) and len(plain.split()) == 1 and plain.islower():
        return f"{subject} {be} a {plain}"
    return None


def _with_verb(clause: Clause, part: str) -> str | None:
    """ "and Ana 7" after "Tom is 5": the same verb again, where its object begins alike."""
    spoken, first = part.split(), clause.rest.split()[0].lower()
    is_number = first[0].isdigit()
    for place in range(1, len(spoken)):
        word = spoken[place].lower()
        alike = word[0].isdigit() if is_number else word == first
        if not alike or not (is_number or word in PREPOSITIONS | DETERMINERS):
            continue
        who = " ".join(spoken[:place])
        if not (who[0].isupper() or who.split()[0].lower() in DETERMINERS) or place > 3:
            return None
        verb = clause.verb
        if clause.is_be and not clause.past:
            verb = be_of(who)
        elif verb.lower() == clause.base and not looks_plural(who):
            verb = third_person(clause.base)
        return f"{who} {verb} {' '.join(spoken[place:])}"
    return None


def _clause(text: str) -> Clause | None:
    return split_clause(expand(text))


def _is_statement(text: str) -> bool:
    """Whether ``text`` has a subject and a verb, and could stand alone."""
    clause = _clause(_AFTER_JOINT.sub("", text))
    if clause is None or (clause.is_be and not clause.rest):
        return False
    subject = clause.subject.split()
    opens = subject[0].lower() in _OPENERS or subject[0][0].isupper()
    return (opens or len(subject) == 1) and not is_base_verb(subject[0])


def _named(text: str, spoken_of: str) -> str:
    """ "She lives there" with whoever was spoken of for "she"."""
    match = _PRONOUN.match(text)
    if match is None or not spoken_of:
        return text
    rest = text[match.end() :]
    if match["pronoun"].lower() in _OWNERS:
        return f"{whose(spoken_of)} {rest}"
    short = match["short"]
    if short == "s":
        return f"{spoken_of} {'has' if _HAS_NEXT.match(rest) else 'is'} {rest}"
    return f"{spoken_of} {_VERB_OF_SHORT[short] + ' ' if short else ''}{rest}"


def _spoken_of(text: str) -> str:
    """Whom the next "she" or "it" means: the subject, a thing just introduced, or somebody of the
    user's.
    """
    clause = _clause(text)
    new = _NEW_THING.match(text)
    if new is not None:
        return f"{'my' if new['owner'].lower() == 'i' else 'our'} {new['thing']}"
    if clause is not None and clause.subject.split()[0].lower() not in _NO_SUBJECT:
        return re.sub(r"'s\s+(?:\w+\s+)?name$", "", clause.subject)
    mine = _MINE.findall(text)
    return mine[-1] if mine else ""
