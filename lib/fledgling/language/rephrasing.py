"""Other ways to put a given question, by rule."""

from __future__ import annotations

import re

from fledgling.language.lexicon import BE, HAVE, MODALS
from fledgling.language.questions import tidy
from fledgling.language.verbs import base_of

_BE_QUESTION = re.compile(
    r"^(what|who|where|when|which [\w' -]+?|how old)\s+(is|are|was|were)\s+(.+)$", re.IGNORECASE
)
_AFTER_BE = re.compile(  # stays behind "be": "where Chopin was born", not "where Chopin born was"
    r"\s+(born|founded|located|made|named|called|created|written|developed|released|published|built"
    r"|established|signed|buried|based|formed|from|in|for|by)$"
)
_SUBJECT_QUESTION = re.compile(
    r"^(?:who|(?:what|which)\s+[\w'-]+(?:\s+[\w'-]+)?)\s+(?!do\b|does\b|did\b)(\w+)\b",
    re.IGNORECASE,
)
_PART_OF_WHOLE = re.compile(
    r"^(what|who)\s+(is|was|are|were)\s+(?:the\s+)?(?:name of the\s+)?([\w -]{2,40}?)\s+of\s+(.+)$",
    re.IGNORECASE,
)
_WHOLES_PART = re.compile(
    r"^(what|who)\s+(is|was|are|were)\s+(.+?)'s\s+([\w -]{2,40})$", re.IGNORECASE
)
_LONGER = {
    "where": "In which place",
    "when": "At what time",
    "in which": "In what",
    "in what": "In which",
}


def rephrased(question: str) -> list[str]:
    """Other ways to put a question, where a rule can do it without changing what is asked.

    >>> rephrased("Which river system contains Charity Creek?")[0]
    'What river system contains Charity Creek?'
    """
    plain = re.sub(r"\s+", " ", question).strip().rstrip("?.! ")
    # A question word loses its capital inside a frame; a name that opens the question keeps it.
    opens = re.match(r"(?:wh|how|in|on|at|is|are|do|did|can)", plain, re.IGNORECASE)
    low = plain[:1].lower() + plain[1:] if opens else plain
    found = [
        *_swapped_word(plain),
        *_indirect(plain),
        *_from_forms(plain),
        f"Tell me: {low}?",
        f"I'd like to know: {low}?",
        f"Quick question: {low}?",
        f"{plain}? Please answer.",
    ]
    return list(dict.fromkeys(tidy(item) for item in found))


def _swapped_word(plain: str) -> list[str]:
    """ "Which river …" ↔ "What river …", where a noun follows."""
    first, _, rest = plain.partition(" ")
    second = rest.split(" ", 1)[0].lower()
    is_auxiliary = second in BE | HAVE | MODALS | {"do", "does", "did", "type", "kind"}
    # "which" before a verb has lost its noun, and "what" serves there as well.
    if first.lower() == "which":
        return [f"What {rest}?"]
    if first.lower() == "what" and not is_auxiliary and base_of(second) != second:
        return [f"Which {rest}?"]
    return []


def _indirect(plain: str) -> list[str]:
    """Questions about the subject keep their order ("who wrote it"); "what is X" turns round ("what
    X is").
    """
    match, asks_subject = _BE_QUESTION.match(plain), _SUBJECT_QUESTION.match(plain)
    if match is not None:
        tail = _AFTER_BE.search(match[3])
        body = match[3][: tail.start()] if tail else match[3]
        clause = f"{match[1].lower()} {body} {match[2].lower()}{tail[0] if tail else ''}"
    elif asks_subject is not None and base_of(asks_subject[1]) not in MODALS | {None}:
        clause = plain[0].lower() + plain[1:]
    else:
        return []
    return [f"Do you know {clause}?", f"Please tell me {clause}."]


def _from_forms(plain: str) -> list[str]:
    """ "What is the X of Y" ↔ "What is Y's X"; "Where was Y born" → "In which place was Y born"."""
    match = _PART_OF_WHOLE.match(plain)
    if match is not None:
        word, be, part, whole = match.groups()
        return [f"{word} {be} {whole}'s {part}?", f"{whole}: {word.lower()} {be} the {part}?"]
    match = _WHOLES_PART.match(plain)
    if match is not None:
        return [f"{match[1]} {match[2]} the {match[4]} of {match[3]}?"]
    for word, longer in _LONGER.items():
        if plain.lower().startswith(word + " "):
            return [f"{longer}{plain[len(word) :]}?"]
    return []
