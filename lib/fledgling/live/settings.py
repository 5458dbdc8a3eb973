"""The ``live`` section."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fledgling.core.settings import Count, CountOrZero, NonNegative, Section, Share

Several = Annotated[int, Field(ge=2)]


class LiveSection(Section):
    """What a live session reads, says, keeps and shows."""

    longest_message: Count
    reply_tokens: Count
    remembered_messages: Several
    shown_messages: Several
    refusal_similarity: Share
    retention_facts: CountOrZero
    plot_points: Several
    plot_seconds: NonNegative
    settle_seconds: NonNegative
    unrelated: list[str] = Field(min_length=1)
    recipes: list[str] = Field(min_length=1)
