"""Turns in which a fact is told in passing, for training the reader and the gate."""

from __future__ import annotations

import random
from collections.abc import Sequence

STRUNG_SHARE = 0.5  # of turns: the fact stands between others, else between small talk
BEFORE = (
    "Sorry I'm late, the bus never came.",
    "You would not believe the morning I had.",
    "Just before I forget it again:",
    "My neighbour asked me the same thing yesterday.",
    "Anyway, where was I, yes.",
    "It has been raining since breakfast.",
    "I have to get to the shops before six.",
    "We were just talking about that at lunch.",
)
AFTER = (
    "Not that it matters much.",
    "So that was my weekend.",
    "Could you draft the reply to the landlord now?",
    "I should really write these things down.",
    "What shall I cook tonight?",
    "But that is another story.",
)


def wrapped(text: str, others: Sequence[str], rng: random.Random) -> str:
    """A turn that tells ``text`` between two other things: small talk, or two of ``others``, if
    there are any.
    """
    if not others or rng.random() >= STRUNG_SHARE:
        return " ".join([rng.choice(BEFORE), text, rng.choice(AFTER)])
    said = [rng.choice(others), text, rng.choice(others)]
    rng.shuffle(said)
    stop = rng.choice((". ", ", and ", " - ", ", "))
    return stop.join(one.rstrip(" .!?") for one in said) + "."
