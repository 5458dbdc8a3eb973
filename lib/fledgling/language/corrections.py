"""Corrections in conversation: "No, it's Canberra", "Actually, it is …", "That's wrong. It was
…".
"""

from __future__ import annotations

import re

_OPENING = re.compile(
    r"""^\W*(?:
        (?:no+(?:\s+no+)*|nope|nah|wrong|incorrect|not\s+(?:quite|really|exactly)|false|negative|almost|close|sorry|oops|correction|hm+)
          (?:\s*[,.:;!—–-]+\s*|\s+(?=(?:it|he|she|they|that|the|my|our|i|we|you)\b|\w+\W*$))
      | (?:actually|in\s+fact|rather|to\s+correct\s+(?:you|that)|i\s+(?:meant|said|mean))\s*[,:]?\s+
      | (?:no\s*,?\s*)?
        (?:that(?:'s|\s+is|\s+was)|this\s+is|it(?:'s|\s+is)|you(?:'re|\s+are)|you\s+were
          |you\s+got\s+(?:it|that))\s+
          (?:(?:actually|completely|just|totally|quite)\s+)?(?:wrong|incorrect
            |not\s+(?:right|correct|true|quite\s+right|it)
            |false|mistaken|a\s+mistake|an\s+error|in\s+error)
          \s*[,.:;!—–-]*\s*
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_MILD = re.compile(
    r"^\W*(?:actually|sorry|oops|close|almost|hm+|rather|in\s+fact)\b", re.IGNORECASE
)
_POINTER = re.compile(
    r"""^\W*(?:(?:it|he|she|they|that|this|there)(?:'s|'re|\s+(?:is|are|was|were|should\s+(?:be|have\s+been)|must\s+be|has|have|had))
        |(?:the\s+)?(?:correct|right|true|real|actual|proper)\s+(?:answer|one|name|value|number|date|spelling)\s+(?:is|was|would\s+be|should\s+be)
        |(?:the\s+)?answer\s+(?:is|was|should\s+be)|i\s+(?:meant|said|mean))\s+(?:(?:actually|really|in\s+fact)\s+)?(?P<answer>.+)$""",
    re.IGNORECASE | re.VERBOSE,
)
_CONTRAST = re.compile(
    r"\s*(?:,|\(|—|–|-)?\s*(?:and\s+)?(?<!any)\bnot\s+(?!only\b)[^,.]{1,60}$", re.IGNORECASE
)
_EMPTY = re.compile(
    r"""^\W*(?:thanks?|thank\s+you|problem|worries|idea|way|need|one|not|really|never|nothing|nevermind|never\s+mind|please|don't|i\s+(?:don't|do\s+not|can't|am\s+not|'m\s+not|think|guess|just)
        |it'?s\s+(?:ok|okay|fine|alright|nothing|all\s+(?:good|right))|it\s+is\s+(?:ok|okay|fine)|that'?s\s+(?:ok|okay|fine|all|it)|yes|no|maybe|wait|stop|you|let|can|could|what|who|why|how|where|when|is|are|do|does|sorry|sure|of\s+course|good|fine|ok)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_THEY_DO = re.compile(r"^\W*(?:it|he|she|they|that)\b", re.IGNORECASE)


def correction_of(text: str, previous_question: str | None) -> tuple[str, str] | None:
    """(the sentence that stands corrected, or "", the answer given) when ``text`` corrects
    something, else None.

    With a ``previous_question`` a short answer is enough ("No, Canberra."); without one the text
    must say that it corrects, and the answer is a phrase with a capital or a digit, or follows "it
    is".

    >>> correction_of("No, it's Canberra.", "What is the capital of Australia?")
    ('', 'Canberra')
    >>> correction_of("No, thanks.", None) is None
    True
    """
    opening = _OPENING.match(text)
    rest = text[opening.end() :] if opening else text
    while opening and (again := _OPENING.match(rest)) and again.end() < len(rest):
        rest = rest[again.end() :]
    rest = rest.strip().rstrip(".!… ")
    if not rest or rest.endswith("?") or _EMPTY.match(rest):
        return None
    pointer = _POINTER.match(rest)
    if pointer is not None and (opening or previous_question or _names_the_answer(rest)):
        answer = _CONTRAST.sub("", pointer["answer"]).strip(" ,")
        return (
            ("", answer)
            if answer and (previous_question or _is_definite(answer, opening))
            else None
        )
    if opening is None:
        short = _CONTRAST.sub("", rest).strip(" ,")
        return (
            ("", short) if previous_question and short != rest and len(short.split()) <= 4 else None
        )
    said = _CONTRAST.sub("", rest).strip(" ,") or rest
    if _THEY_DO.match(said):
        return ("", said) if previous_question else None
    if len(said.split()) <= 6 and not re.search(
        r"\b(?:is|are|was|were|am|has|have|lives?|works?)\b|'s\s", said, re.I
    ):
        return ("", said) if previous_question or _is_definite(said, opening) else (said, "")
    return said, said


def _names_the_answer(text: str) -> bool:
    opening = r"\W*(?:the\s+)?(?:correct|right|true|real|actual|proper)?\s*answer\b"
    return re.match(opening, text, re.IGNORECASE) is not None


def _is_definite(answer: str, opening: re.Match[str] | None) -> bool:
    """A name or a number, not a mood: what can be a correction with no question known."""
    if opening is None:
        return False
    return re.search(r"\d|\b(?!I\b)[A-ZÀ-Þ]\w+", answer) is not None and len(answer.split()) <= 12
