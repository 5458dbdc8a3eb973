"""How good one answer looks by itself, 0..1: finished, saying something, not repeating itself,
about the question.
"""

from __future__ import annotations

import re

from fledgling.core.answers import words
from fledgling.teachers.answers import Answer
from fledgling.teachers.settings import QualitySection

_FINISHED = re.compile(r"[.!?…)\]\"'”»]\s*$")
_REFUSAL = re.compile(
    r"\b(?:i (?:do not|don't|cannot|can't) (?:know|answer|help|say)"
    r"|i(?: am|'m) (?:sorry|unable|not sure)|as an ai|no idea)\b",
    re.IGNORECASE,
)
_RUN = 3  # words that make a repetition worth counting; two repeat in good prose


def completeness(text: str, section: QualitySection) -> float:
    """1 when it ends like a finished sentence or is a bare short answer, less when it stops in the
    middle.
    """
    whole = _FINISHED.search(text) or len(words(text)) <= section.bare_words
    return 1.0 if whole else section.unfinished


def substance(text: str, section: QualitySection) -> float:
    """1 when it says something, less when it declines or hedges entirely, 0 without a word."""
    if not words(text):
        return 0.0
    return section.refusal if _REFUSAL.search(text.replace("’", "'")) else 1.0


def variety(text: str) -> float:
    """Distinct over all three-word sequences: a model caught in a loop falls towards 0."""
    found = words(text)
    runs = [found[start : start + _RUN] for start in range(len(found) - _RUN + 1)]
    return len(set(runs)) / len(runs) if runs else 1.0


def form_quality(text: str, cosine: float, section: QualitySection) -> float:
    """The weighted mean of completeness, substance, variety and relevance (cosine of answer and
    question, full marks from ``relevance_full`` on), without the teacher's own confidence.
    """
    relevance = min(max(cosine / section.relevance_full, 0.0), 1.0)
    parts = (
        (section.completeness, completeness(text, section)),
        (section.substance, substance(text, section)),
        (section.variety, variety(text)),
        (section.relevance, relevance),
    )
    total = sum(weight for weight, _ in parts) or 1.0
    return sum(weight * value for weight, value in parts) / total


def quality(answer: Answer, cosine: float, section: QualitySection) -> float:
    """Form and the teacher's confidence, mixed by ``confidence_weight``; 0 for a failed or empty
    answer.
    """
    if not answer.usable:
        return 0.0
    sure = min(max(answer.confidence, 0.0), 1.0)
    form = form_quality(answer.text, cosine, section)
    return (1 - section.confidence_weight) * form + section.confidence_weight * sure
