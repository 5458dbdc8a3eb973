"""What a sentence is when it is not a fact: question, command, supposition, hearsay, negation,
small talk, …

Each rule is a linguistic cue (word order, mood, a class of function words), tried in order by
``reason_against``.
"""

from __future__ import annotations

import re

from fledgling.language.cues import cue
from fledgling.language.grammar import unfronted
from fledgling.language.lexicon import BE, HAVE
from fledgling.language.verbs import base_of, is_base_verb

# Base forms that open a statement as often as an order: "May is my sister", "Will has a dog".
_NAMES_TOO = BE | HAVE | {"may", "will", "can", "must", "mine"}
_BE_IMPERATIVE = re.compile(r"^\W*be\s+\w+", re.IGNORECASE)
_PUNCTUATION = ",.!:;\"'()"


def is_question(text: str) -> bool:
    """Whether the sentence asks, by its mark, its word order, a tag, or an indirect form.

    >>> is_question("so where does Lena live"), is_question("Where I live it rains.")
    (True, False)
    """
    words = text.split(None, 2)
    # "Who wrote it": no auxiliary, so the cues by word order miss it.
    asks_subject = len(words) > 1 and words[0].lower() in {"who", "what"}
    if asks_subject and base_of(words[1].strip(".,!")) is not None:
        return True
    return cue("question", text) is not None


def is_command(text: str) -> bool:
    """Whether the sentence is an imperative or asks the assistant to do something."""
    match = cue("command", text)
    # "never smoke" is an order, "never Rome" is none: the cue asks for a verb and this looks.
    if match is not None and (match.groupdict().get("verb") is None or is_base_verb(match["verb"])):
        return True
    if _BE_IMPERATIVE.search(text):
        return True
    words = [word.strip(_PUNCTUATION) for word in text.split()]
    if not words or not is_base_verb(words[0]) or words[0].lower() in _NAMES_TOO:
        return False
    # Adverbials open with a verb-like word as well: "Like my father, I …".
    return not _second_is_finite(words) and unfronted(text) == text


def _second_is_finite(words: list[str]) -> bool:
    """ "Mark lives …", "Water boils …", "Grace and Sue are …", "Will has …": the first word is a
    name or noun.
    """
    if len(words) < 2:
        return False
    second, third = words[1].lower(), words[2] if len(words) > 2 else ""
    if second in BE | HAVE or (second == "and" and third[:1].isupper()):
        return True
    if second.endswith("s") and base_of(second) not in (None, second):
        return True
    if second.endswith("ed") and base_of(second) is not None:
        return True
    # "Mark Abernathy lives …": a surname comes first.
    return words[1][:1].isupper() and base_of(third) not in (None, third.lower())


def reason_against_turn(text: str) -> str | None:
    """Why a whole turn is left alone: injection, code or a joke; None when nothing speaks against
    it.
    """
    return next((reason for reason in ("injection", "code", "joke") if cue(reason, text)), None)


def reason_against(text: str) -> str | None:
    """Why a sentence (lead-ins dropped, contractions of "I" kept) is not a fact; None when nothing
    speaks against it.

    Retractions ("no longer", "any more") pass: they are facts of their own kind.
    """
    takes_back = cue("no_longer", text) is not None
    if is_question(text):
        return "question"
    # Cheap and certain cues first; each later rule may assume that none of them holds.
    for reason in ("reported_speech", "hypothetical"):
        if cue(reason, text):
            return reason
    if is_command(text):
        return "command"
    if cue("greeting", text) or cue("says_no_more", text):
        return "chit_chat"
    if cue("small_talk", text) and not takes_back:
        return "chit_chat"
    return None
