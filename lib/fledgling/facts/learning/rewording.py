"""The same question in other words, by rule: with an opening, or without some of the words that
carry nothing. What is learned from one wording alone is the wording.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from fledgling.core.words import FUNCTION_WORDS


def reword(question: str, openings: Sequence[str], rng: random.Random) -> str:
    """``question`` with about half of its function words left out, and every second time in one of
    ``openings``, where ``{question}`` stands for it.

    >>> reword("Where does Lena live?", ["So, {question}"], random.Random(1))
    'So, Where does Lena live?'
    """
    words = [word for word in question.split() if _carries(word) or rng.random() < 0.5]
    said = " ".join(words) or question
    if openings and rng.random() < 0.5:
        return rng.choice(openings).replace("{question}", said)
    return said


def _carries(word: str) -> bool:
    return word.lower().strip("?,.!:") not in FUNCTION_WORDS
