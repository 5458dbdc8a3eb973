"""What a sentence is when it is not a fact: question, command, supposition, hearsay, negation,
small talk, …

Each rule is a linguistic cue (word order, mood, a class of function words) from
``data/language/cues.yaml``, tried in order by ``reason_against``.
"""

from __future__ import annotations

from functools import lru_cache

import regex

from fledgling.core.files import read_yaml
from fledgling.core.paths import DATA
from fledgling.language.grammar import base_of, is_base_verb, unfronted
from fledgling.language.lexicon import BE, HAVE

EXISTENTIAL = regex.compile(r"^\W*there(?:'s|\s+is|\s+are|\s+was|\s+were)\b", regex.IGNORECASE)
NO_LONGER = regex.compile(r"\b(?:no\s+longer|any\s?more|any\s+longer)\b", regex.IGNORECASE)
_BE_IMPERATIVE = regex.compile(r"^\W*be\s+\w+", regex.IGNORECASE)


@lru_cache(maxsize=1)
def _cues() -> dict[str, regex.Pattern[str]]:
    content = read_yaml(DATA / "language" / "cues.yaml")
    compiled = {}
    for name, alternatives in content["cues"].items():
        whole = "|".join(f"(?:{alternative})" for alternative in alternatives)
        for word, expression in content["words"].items():
            whole = whole.replace(f"%{word}%", expression)
        compiled[name] = regex.compile(whole, regex.IGNORECASE | regex.VERBOSE)
    return compiled


def cue(name: str, text: str) -> regex.Match[str] | None:
    """Where the cue of that name in ``data/language/cues.yaml`` is found in ``text``, or None."""
    return _cues()[name].search(text)


def is_question(text: str) -> bool:
    """Whether the sentence asks, by its mark, its word order, a tag, or an indirect form.

    >>> is_question("so where does Lena live"), is_question("Where I live it rains.")
    (True, False)
    """
    words = text.split(None, 2)
    asks_subject = (
        len(words) > 1
        and words[0].lower() in {"who", "what"}
        and base_of(words[1].strip(".,!")) is not None
    )
    return asks_subject or cue("question", text) is not None


def is_command(text: str) -> bool:
    """Whether the sentence is an imperative or asks the assistant to do something."""
    match = cue("command", text)
    if match is not None and (match.groupdict().get("verb") is None or is_base_verb(match["verb"])):
        return True
    if _BE_IMPERATIVE.search(text):
        return True
    words = [word.strip(",.!:;\"'()") for word in text.split()[:4]]
    if (
        not words
        or not is_base_verb(words[0])
        or words[0].lower() in BE | HAVE | {"may", "will", "can", "must"}
    ):
        return False
    return not _second_is_finite(words) and unfronted(text) == text


def _second_is_finite(words: list[str]) -> bool:
    """ "Mark lives …", "Water boils …", "Grace and Sue are …", "Will has …": the first word is a
    name or noun.
    """
    if len(words) < 2:
        return False
    second = words[1].lower()
    if second in BE | HAVE or (second == "and" and len(words) > 2 and words[2][:1].isupper()):
        return True
    is_third_person = second.endswith("s") and base_of(second) not in (None, second)
    is_past = second.endswith("ed") and base_of(second) is not None
    surname = (
        words[1][:1].isupper()
        and len(words) > 2
        and base_of(words[2]) not in (None, words[2].lower())
    )
    return is_third_person or is_past or surname


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
    if is_question(text):
        return "question"
    if cue("reported_speech", text):
        return "reported_speech"
    if cue("hypothetical", text):
        return "hypothetical"
    if cue("negation", text) and not NO_LONGER.search(text):
        return "negation"
    if is_command(text):
        return "command"
    if cue("greeting", text) or (cue("small_talk", text) and not NO_LONGER.search(text)):
        return "chit_chat"
    return None
