"""The ``language`` section."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fledgling.core.settings import Count, Section, Share


class LanguageSection(Section):
    """How a turn becomes a fact."""

    patterns: str
    entities: Literal["regex", "capitalised", "spacy"]
    spacy_model: str
    judge: Literal["rules", "detector"]
    threshold: Share
    threshold_beside: Share
    min_confidence: Share
    general_confidence: Share
    coverage_weight: Share
    named_weight: Share
    least_coverage: Share
    latin_share: Share
    short_answer_words: Count
    phrase_words: Count
    definite_words: Count
    max_characters: Annotated[int, Field(ge=40, le=20000)]
    max_facts: Count
    max_pieces: Count
    left_out: Count
    turn_words: Count
    timeout_ms: Annotated[float, Field(gt=0.0, le=1000.0)]
