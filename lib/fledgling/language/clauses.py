"""A turn as the statements that it may hold, each standing alone: "I'm Bea, 28, and my dog is old"
is three.

By rule: sentences are cut where a clause of its own begins, a verb without a subject takes the one
before it, and "she" becomes whoever was spoken of. Whether a piece states anything is not asked
here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fledgling.language.asides import take_asides
from fledgling.language.cues import cue
from fledgling.language.ellipsis import completed, said_alike
from fledgling.language.filters import is_command, is_question
from fledgling.language.lexicon import (
    ADVERBS,
    BE,
    DETERMINERS,
    FRONTING,
    HAVE,
    MODALS,
    PREPOSITIONS,
    RELATIVE,
    words,
)
from fledgling.language.perspective import strip_lead_in
from fledgling.language.questions import be_of
from fledgling.language.referents import Mentions, points_back
from fledgling.language.statements import ENDS, clause_of, is_statement, opened
from fledgling.language.verbs import base_of, guessed_base, is_base_verb

_FILLER = r"(?:(?:oh|and|also|well|btw|by\s+the\s+way|anyway|yeah|plus|then|now)\b,?\s+|first:\s+)*"
# Where a clause may begin. "or" is missing: alternatives are one statement, if they are any.
_JOINT = re.compile(
    rf"(?:\s*;\s*|\s+[-–—/|]+\s+|\s*(?:—|…|\.\.\.)\s*"
    r"|,?\s+(?:and|but|while|whereas|although|though|plus|btw|by\s+the\s+way|&)\s+"
    r"|,?\s+(?:oh|also)\s+(?=(?:i|i'm|my|we|our|he|he's|she|she's|it|it's|they|the|his|her|and)\s)"
    r"|,?\s+so\s+(?=(?:wh|how|should|can|could|is|are|do)\w*\b)|,\s+"
    rf"){_FILLER}",
    re.IGNORECASE,
)
# Where one begins with no mark: "he is from Mombasa he studies dentistry".
_NO_MARK = re.compile(
    r"\s+(?=(?:i|he|she|it|we|they)(?:'(?:s|m|re|ve|ll)|\s+\w+)\s|(?:my|our)\s+\w+(?:\s+\w+)?"
    r"(?:'s|\s+(?:is|are|was|were|has|have|can't|won't|doesn't|don't|isn't|lives?|works?))\s)",
    re.IGNORECASE,
)
_TAKES_A_CLAUSE = words("""
    know think say believe hope guess hear mean tell see feel wish bet remember swear suppose find
    learn promise like love hate wait make let help watch
""")
# Said after a statement, and no part of it.
_TAIL = re.compile(
    r"(?<=\w),?\s+(?:so\s+(?:there\s+you\s+go|that's\s+that|yeah)|go\s+figure|just\s+saying"
    r"|so\s+anyway)\W*$",
    re.IGNORECASE,
)
_NEEDS_NO_OBJECT = words("be have live work come go move sleep study")
_DEGREE = re.compile(r"\b(?:so|such|too)\s+\w", re.IGNORECASE)
_SUBORDINATES = words("""
    and or but because since if when while where that than as so before after until unless whether
    what how why like every time day way first last next all not no be been
""")
# "…, is in Galway": what more somebody is, where "is it in Galway" would ask.
_GOES_ON = re.compile(
    r"^(?:is|are|was|were|has|have)\s+(?:in|at|on|from|an?|never|not|also|\d+)\b[^?]*$",
    re.IGNORECASE,
)
_INNER = _SUBORDINATES | PREPOSITIONS | DETERMINERS | RELATIVE | BE | HAVE | MODALS
_NEXT_JOINT = re.compile(r"[,;]|\s(?:and|but)\s")
_FAR = 160  # characters of a statement that are looked at, so that a long text costs no more
_NO_SUBJECT = words("i we he she they it this that there you one who what")
_LABEL = re.compile(
    r"^(?:(?:my|our)\s+)?(?P<label>[A-Za-z][\w'-]*(?:\s+[\w'-]+){0,2}?)(?:\s*[:?]|\s-)\s+"
    r"(?P<value>[^:?]{1,80})$",
    re.IGNORECASE,
)
_NOUNS_TOO = words("name age work weight number height address")  # verbs as well
_ALONE = re.compile(
    r"^(?:\d{2}|single|married|divorced|vegan|vegetarian|retired|pregnant)\b(?:\s+since\s+\d{4})?$",
    re.IGNORECASE,
)


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
    mentions = Mentions()
    for sentence in _with_answers(sentences):
        clauses = _clauses(strip_lead_in(sentence))
        for said, alone in clauses:
            alone = mentions.named(_unlabelled(_TAIL.sub("", alone)))
            mentions.note(alone)
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
    if spoken[0].partition("'")[0] in _NO_SUBJECT | BE | HAVE | MODALS or (
        len(spoken) == 1 and is_base_verb(label)
    ):
        return spoken[0] in _NOUNS_TOO
    return True


def _unlabelled(text: str) -> str:
    """ "Age: 52" → "My age is 52"."""
    match = _LABEL.match(text.rstrip(ENDS))
    if match is None or not _is_noun(match["label"]) or is_statement(match["value"]):
        return text
    thing = f"my {match['label']}"
    return f"{thing[0].upper()}{thing[1:]} {be_of(thing)} {match['value'].strip()}"


def _clauses(sentence: str) -> list[tuple[str, str]]:
    """Each clause of a sentence: as it was said, and standing alone."""
    told = take_asides(sentence)
    if told is None:
        return _joined_clauses(sentence)
    main = _joined_clauses(told.main)
    beside = [piece for aside in told.asides for piece in _joined_clauses(aside)]
    if len(main) == 1:  # the sentence is one statement with its asides, and is judged as that
        main, beside = ([(sentence, alone) for _, alone in said] for said in (main, beside))
    return [*beside, *main] if told.first else [*main, *beside]


def _joined_clauses(sentence: str) -> list[tuple[str, str]]:
    joints = _joints(sentence)
    pieces: list[tuple[str, str]] = []
    end = joints[0].start() if joints else len(sentence)
    start, alone = 0, _fragment(sentence[:end]) if joints else ""
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


def _joints(sentence: str) -> list[re.Match[str]]:
    """Where a clause may begin, in order, none within another or in quotation marks."""
    found: list[re.Match[str]] = []
    places = [*_JOINT.finditer(sentence), *_NO_MARK.finditer(sentence)]
    for match in sorted(places, key=lambda item: (item.start(), -item.end())):
        after = found[-1].end() if found else 0
        is_quoted = sentence[: match.start()].count('"') % 2 == 1
        if is_quoted or not match.start() or match.start() < after:
            continue
        before, rest = sentence[after : match.start()], sentence[match.end() :]
        if match.group().strip() or _runs_on(before, rest):
            found.append(match)
    return found


def _fragment(text: str) -> str:
    """ "35, single, live in Malmö" begins with what somebody is."""
    return f"I am {text.strip()}" if _ALONE.match(text.strip()) else ""


def _standing(before: str, part: str, joint: str) -> str | None:
    """``part`` as a statement of its own after the statement ``before``, or None where it belongs
    to that one.
    """
    plain = opened(part)
    if _LABEL.match(before.rstrip(ENDS)) and _LABEL.match(plain.rstrip(ENDS)):
        return plain
    if not any(mark.isalnum() for mark in plain) or cue("tag", plain):
        return None
    clause = clause_of(before)
    asks = is_question(before) or is_command(before)
    if clause is None and not asks:
        return plain if joint.strip() and _says_nothing(before) and is_statement(plain) else None
    if not joint.strip():
        return plain
    # "I'm vegan, suggest a dinner" belongs to nothing that was stated; "I paint, sing" may.
    says_enough = not asks and clause is not None and clause.rest
    is_asked = is_question(plain) and not _GOES_ON.match(plain)
    is_wish = "," in joint and " " in plain and is_command(plain)
    if says_enough and (is_asked or is_wish):
        return plain
    if clause is not None and (alike := said_alike(clause, plain)):
        return alike
    if points_back(plain, before):
        return None
    if is_statement(plain):
        return plain
    return None if asks or clause is None else completed(clause, plain, joint)


def _says_nothing(before: str) -> bool:
    """Whether ``before`` is no part of the statement that follows it: "long story short, …" is not,
    "at work, …" and "my sister, …" are.
    """
    first, *more = before.lower().split() or [""]
    belongs = FRONTING | PREPOSITIONS | ADVERBS | RELATIVE | _SUBORDINATES | DETERMINERS
    return (
        bool(more)
        and first.strip(",") not in belongs
        and not before[0].isupper()
        and not cue("reported_speech", before)
        and not cue("hypothetical", before)
    )


def _runs_on(before: str, rest: str) -> bool:
    """Whether a new statement begins with ``rest``, without a mark, rather than a clause inside the
    statement ``before``.
    """
    spoken = before.lower().split()
    is_near = bool(spoken) and len(before) <= _FAR and not before.endswith(":")
    if not is_near or spoken[-1] in _INNER or _DEGREE.search(before) or not _starts(rest[:_FAR]):
        return False
    # "…, works in Bonn" has its subject further back.
    clause = clause_of(before) or clause_of(f"I {before}")
    if clause is None or not clause.rest or is_question(before) or is_command(before):
        return False
    # "he used to tell us he was born at sea": that is what he told.
    return _TAKES_A_CLAUSE.isdisjoint(base_of(word) or guessed_base(word) for word in spoken)


def _starts(rest: str) -> bool:
    """Whether a statement surely begins with ``rest``: not "he bought in May", after "the car"."""
    plain = _NEXT_JOINT.split(rest, maxsplit=1)[0].rstrip(ENDS)
    spoken = plain.lower().split()
    clause = clause_of(plain)
    if clause is None or spoken[-1] in PREPOSITIONS:
        return False
    # What he bought stands before it, so that no object follows the verb.
    has_object = len(spoken) > 2 and spoken[2] not in PREPOSITIONS
    return (clause.base in _NEEDS_NO_OBJECT or has_object) and is_statement(plain)
