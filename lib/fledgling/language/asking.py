"""What kind of answer a question asks for, and whether an answer is of that kind."""

from __future__ import annotations

from fledgling.language.cues import cue

# Tried in order; the first cue found in the question names the kind of its answer.
KINDS = ("number", "time", "colour", "place", "person", "whether")


def asked_kind(question: str) -> str:
    """The kind of answer: number, time, colour, place, person, whether (yes or no), or thing.

    >>> [asked_kind(text) for text in ("How old is Rex?", "Who is Tom?", "Is Tom my brother?")]
    ['number', 'person', 'whether']
    """
    return next((kind for kind in KINDS if cue(f"asks_{kind}", question)), "thing")


def is_answer(question: str, answer: str) -> bool:
    """Whether ``answer`` may be what ``question`` asks for: a number, time or colour must be named,
    and for the rest a remark ("late again", "not that simple") answers nothing.

    >>> is_answer("How old is Rex?", "eleven"), is_answer("How old is Rex?", "asleep")
    (True, False)
    """
    kind = asked_kind(question)
    if kind in ("number", "time", "colour"):
        return cue(f"names_{kind}", answer) is not None
    return cue("remark", answer) is None
