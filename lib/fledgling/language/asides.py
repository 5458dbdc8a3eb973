"""What is said beside the main statement: "My aunt, who lives in Quebec, is a judge", "Lev, my
flatmate, works here", "my niece Alba (she's six) swims".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fledgling.language.grammar import split_clause
from fledgling.language.lexicon import DETERMINERS
from fledgling.language.questions import be_of, whose
from fledgling.language.statements import AGE, ENDS, is_statement

_MARK = re.compile(r"\s*,\s+|\s*[()]\s*,?\s*|\s+[-–—]+\s+|\s*—\s*")
_MOST_CHUNKS = 8
_LONGEST_HEAD = 8  # words
_LONGEST_FILLER = 2  # words: "my uncle, bless him, …"
_RELATIVE = re.compile(r"^(?:who|which)(?P<short>'s)?\s+(?P<said>.+)$", re.IGNORECASE)
_WHOSE = re.compile(r"^whose\s+(?P<said>.+)$", re.IGNORECASE)
_PRONOUN = re.compile(r"^(?:he|she|it|they)(?P<verb>'s|'re|\s+(?=\S))", re.IGNORECASE)
_WHAT_HE_IS = re.compile(
    r"^(?:(?:originally\s+)?from|an?|my|our|his|her|born|based|married|divorced|retired|widowed)\s+\S",
    re.IGNORECASE,
)
_NAME = re.compile(r"^(?:(?:Mr|Mrs|Ms|Dr)\.?\s)?[A-Z][\w'-]*(?:\s[A-Z][\w'-]*)?$")
_TRAILING = re.compile(
    r"^(?P<main>.+?\b(?P<who>[A-Z][\w'-]+|(?:my|our|a|an)\s[a-z][\w-]*(?:\s[A-Z][\w'-]+)?)),?\s+"
    r"(?P<relative>who|which)\s+(?P<said>[^,]{3,120})$"
)
_IN_BRACKETS = re.compile(r"\s*\((?P<said>[^()]{5,120})\)")


@dataclass(frozen=True)
class Told:
    """A sentence without its asides, and what those say: ``first``, before it goes on, or after."""

    main: str
    asides: tuple[str, ...]
    first: bool = False


def take_asides(sentence: str) -> Told | None:
    """``sentence`` and its asides apart, or None where it has none that say anything."""
    return _after_head(sentence) or _trailing(sentence) or _bracketed(sentence)


def _after_head(sentence: str) -> Told | None:
    """Asides between the subject and its verb."""
    marks = list(_MARK.finditer(sentence))[:_MOST_CHUNKS]
    if not marks:
        return None
    head = sentence[: marks[0].start()]
    if not _can_be_head(head):
        return None
    said: list[str] = []
    for place, mark in enumerate(marks):
        rest = sentence[mark.end() :]
        spoken_of = _PRONOUN.match(rest)
        # "my nan, right, she's 84": whoever was named, and then what is said of them.
        if spoken_of is not None and not _closes(marks, place):
            again = _of(head, rest)
            return (
                Told(again, tuple(said), first=True)
                if again is not None and is_statement(again)
                else None
            )
        if place and _goes_on(head, rest):
            return Told(f"{head} {rest}", tuple(said), first=True) if said else None
        until = marks[place + 1].start() if place + 1 < len(marks) else len(sentence)
        chunk = sentence[mark.end() : until]
        aside = _of(head, chunk)
        if aside is not None:
            said.append(aside)
        elif place == 0 and _NAME.match(chunk) and "(" in mark.group():  # "my boss (Ana, from …)"
            head = f"{head} {chunk}"
        elif is_statement(chunk) or len(chunk.split()) > _LONGEST_FILLER:
            return None
    return None


def _can_be_head(head: str) -> bool:
    spoken = head.split()
    if not 0 < len(spoken) <= _LONGEST_HEAD or split_clause(head) is not None:
        return False
    first = spoken[0]
    return (first.lower() in DETERMINERS or first[0].isupper()) and first not in {"I", "I'm"}


def _closes(marks: list[re.Match[str]], place: int) -> bool:
    """Whether what begins after this mark is in brackets, and so said beside something."""
    return "(" in marks[place].group()


def _goes_on(head: str, rest: str) -> bool:
    """Whether the verb of ``head`` begins ``rest``."""
    if not rest or not (rest[0].islower() or rest[0].isdigit()):
        return False
    clause = split_clause(f"{head} {rest}")
    return clause is not None and clause.subject == head and is_statement(f"{head} {rest}")


def _of(head: str, chunk: str) -> str | None:
    """What an aside says of ``head``, or None where it says nothing."""
    chunk = chunk.strip(f"{ENDS},")
    relative, owner, again = (form.match(chunk) for form in (_RELATIVE, _WHOSE, _PRONOUN))
    if relative is not None:
        verb = f"{be_of(head)} " if relative["short"] else ""
        said = f"{head} {verb}{relative['said']}"
    elif owner is not None:
        said = f"{whose(head)} {owner['said']}"
    elif again is not None:
        verb = be_of(head) if again["verb"].strip() else ""
        said = " ".join([head, verb, chunk[again.end() :].strip()])
    elif AGE.match(chunk) or _WHAT_HE_IS.match(chunk):
        said = f"{head} {be_of(head)} {chunk}"
    else:
        return None
    said = re.sub(r"\s+", " ", said)
    return said if is_statement(said) else None


def _trailing(sentence: str) -> Told | None:
    """ "we share the garden with Ottilie, who keeps bees"."""
    match = _TRAILING.match(sentence.rstrip(ENDS))
    if match is None or not is_statement(match["main"]):
        return None
    who = match["who"]
    if who[0].islower() and "," not in sentence[match.end("who") : match.end("relative")]:
        return None  # "a guy who plays the tuba" says which guy, not more about him
    if who.split()[0] in {"a", "an"}:
        who = f"the {who.split(' ', 1)[1]}"
    said = f"{who} {match['said']}"
    return Told(match["main"], (said,)) if is_statement(said) else None


def _bracketed(sentence: str) -> Told | None:
    """ "I'm learning Basque (my girlfriend's from Bilbao) and like it"."""
    match = _IN_BRACKETS.search(sentence)
    if match is None or not is_statement(match["said"]):
        return None
    return Told(f"{sentence[: match.start()]}{sentence[match.end() :]}", (match["said"],))
