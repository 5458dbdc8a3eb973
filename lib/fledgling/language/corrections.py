"""Corrections in conversation: "No, it's Canberra", "Actually, it is …", "That's wrong. It was
…".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fledgling.language.cues import cue, without
from fledgling.language.settings import LanguageSection

# A capital or a digit is what a bare answer has and a mood has not: "Canberra", not "whatever".
# "I" alone is no name.
_NAME_OR_NUMBER = re.compile(r"\d|\b(?!I\b)[A-ZÀ-Þ]\w+")
_ENDS = ".!… "


@dataclass(frozen=True)
class Correction:
    """What a turn says instead: a whole sentence, the bare answer, or both ("" where there is
    none).
    """

    said: str
    answer: str


def find_correction(
    text: str, previous_question: str | None, section: LanguageSection
) -> Correction | None:
    """The correction in ``text``, or None where it corrects nothing.

    With a ``previous_question`` a short answer is enough ("No, Canberra."); without one the text
    must say that it corrects, and the answer is a phrase with a capital or a digit, or follows "it
    is".
    """
    rest, objects = _without_objections(text)
    if not rest or rest.endswith("?") or cue("no_answer", rest):
        return None
    # An empty question, as from a form left blank, is no question.
    is_asked = bool(previous_question)
    said = without("contrast", rest).strip(" ,")
    # "it is X" answers what was asked; with nothing asked or objected to, it is small talk.
    pointer = cue("pointer", rest)
    if pointer is not None and (objects or is_asked or cue("names_the_answer", rest)):
        answer = without("contrast", pointer["answer"]).strip(" ,")
        is_clear = is_asked or (objects and _is_definite(answer, section))
        return Correction("", answer) if answer and is_clear else None
    if not objects:
        # With no objection, "Three, not two." corrects by its contrast alone.
        is_contrast = said != rest and len(said.split()) <= section.short_answer_words
        return Correction("", said) if is_asked and said and is_contrast else None
    said = said or rest
    # "she does" says something only beside the question that names her.
    if cue("pronoun_subject", said):
        return Correction("", said) if is_asked else None
    # A long text, or one with a verb, is a sentence that can be read by itself.
    if len(said.split()) > section.phrase_words or cue("states", said):
        return Correction(said, said)
    is_clear = is_asked or _is_definite(said, section)
    return Correction("", said) if is_clear else Correction(said, "")


def only_objects(text: str) -> bool:
    """Whether ``text`` objects and says no more ("No, that's wrong."): what is right may follow."""
    rest, objects = _without_objections(text)
    last = cue("objection", f"{rest}.")
    return objects and (not rest or (last is not None and last.end() > len(rest)))


def _without_objections(text: str) -> tuple[str, bool]:
    """``text`` after "No, that's wrong." and the like, and whether there was any."""
    rest, objects = text, False
    # "No no, that's wrong. It was …": objections come in rows, but the last may be the
    # answer itself ("Wrong."), so one that would leave nothing stays.
    while (objection := cue("objection", rest)) and (not objects or objection.end() < len(rest)):
        rest, objects = rest[objection.end() :], True
    return rest.strip().rstrip(_ENDS), objects


def _is_definite(answer: str, section: LanguageSection) -> bool:
    """A name or a number, not a mood: what can be a correction with no question known."""
    is_short = len(answer.split()) <= section.definite_words
    return is_short and _NAME_OR_NUMBER.search(answer) is not None
