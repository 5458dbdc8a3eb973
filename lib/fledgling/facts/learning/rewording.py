"""The same question in other words, by rule: with an opening, or without some of the words that
carry nothing. What is learned from one wording alone is the wording.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from fledgling.core.words import FUNCTION_WORDS


def reword(question: str, openings: Sequence[str], rng: random.Random) -> str:
    """``question`` with about half of its function words left out; every second time in one of
    ``openings``, where ``{question}`` stands for it; every third time only two or three
    of the words that carry something.

    >>> reword("Where does Lena live?", ["So, {question}"], random.Random(3))
    'So, Where Lena live?'
    """
    words = question.split()
    telling = [word for word in words if _carries(word)]
    if len(telling) > 2 and rng.random() < 1 / 3:
        few = set(rng.sample(range(len(telling)), rng.randint(2, min(3, len(telling) - 1))))
        words = [word for place, word in enumerate(telling) if place in few]
    else:
        words = [word for word in words if _carries(word) or rng.random() < 0.5] or words
    said = " ".join(words)
    if openings and rng.random() < 0.5:
        return rng.choice(openings).replace("{question}", said)
    return said


def _carries(word: str) -> bool:
    return word.lower().strip("?,.!:") not in FUNCTION_WORDS
