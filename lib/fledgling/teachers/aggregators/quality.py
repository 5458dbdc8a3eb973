"""How good one answer looks by itself, 0..1: finished, saying something, not repeating itself,
about the question.
"""

from __future__ import annotations

import re

from fledgling.core.records import Answer
from fledgling.teachers.aggregators.contradiction import words
from fledgling.teachers.settings import QualitySection

_FINISHED = re.compile(r"[.!?…)\]\"'”»]\s*$")
_REFUSAL = re.compile(
    r"\b(?:i (?:do not|don't|cannot|can't) (?:know|answer|help|say)|i am (?:sorry|unable|not"
    r" sure)|i'm (?:sorry|unable|"
    r"not sure)|as an ai|no idea)\b",
    re.IGNORECASE,
)


def completeness(text: str) -> float:
    """1 when it ends like a finished sentence or is a bare short answer; 0.3 when it stops in the
    middle.
    """
    if not text.strip():
        return 0.0
    return 1.0 if _FINISHED.search(text) or len(words(text)) <= 4 else 0.3


def substance(text: str) -> float:
    """1 when it says something, 0.2 when it declines or hedges entirely, 0 when empty."""
    if not words(text):
        return 0.0
    return 0.2 if _REFUSAL.search(text.replace("’", "'")) else 1.0


def variety(text: str) -> float:
    """Distinct over all three-word sequences: a model caught in a loop falls towards 0."""
    found = words(text)
    if len(found) < 4:
        return 1.0
    triples = [tuple(found[start : start + 3]) for start in range(len(found) - 2)]
    return len(set(triples)) / len(triples)


def relevance(cosine: float, section: QualitySection) -> float:
    """Cosine of answer and question, full marks from ``relevance_full`` on."""
    return min(max(cosine / section.relevance_full, 0.0), 1.0)


def form_quality(text: str, cosine: float, section: QualitySection) -> float:
    """The weighted mean of the four, without the teacher's own confidence."""
    parts = (
        (section.completeness, completeness(text)),
        (section.substance, substance(text)),
        (section.variety, variety(text)),
        (section.relevance, relevance(cosine, section)),
    )
    total = sum(weight for weight, _ in parts) or 1.0
    return sum(weight * value for weight, value in parts) / total


def quality(answer: Answer, cosine: float, section: QualitySection) -> float:
    """Form and the teacher's confidence, mixed by ``confidence_weight``; 0 for a failed or empty
    answer.
    """
    if answer.error is not None or not answer.text.strip():
        return 0.0
    form = form_quality(answer.text, cosine, section)
    return (1 - section.confidence_weight) * form + section.confidence_weight * min(
        max(answer.confidence, 0.0), 1.0
    )
