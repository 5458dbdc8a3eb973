"""Turns in which a fact is told in passing, for training the reader and the gate."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from fledgling.core.files import read_jsonl
from fledgling.core.paths import DATA
from fledgling.core.records import Example

TOLD_IN_PASSING = DATA / "facts" / "in_passing.jsonl"

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


def turns_and_rows(untold: str) -> list[tuple[str, list[Example]]]:
    """The tuning turns that people told facts in, each with its questions and the replies that are
    right: an answer in the turn's own words, or ``untold``.
    """
    return [(line["turn"], list(_rows(line, untold))) for _, line in read_jsonl(TOLD_IN_PASSING)]


def _rows(line: dict[str, Any], untold: str) -> Iterator[Example]:
    for probe in line["probes"]:
        said = probe.get("reply") or f"{probe['answers'][0]}."
        said = said[:1].upper() + said[1:]
        yield Example(probe["question"], said, probe.get("form", probe["kind"]), line["id"])
    for near in line["neighbours"]:
        yield Example(near["question"], untold, "untold", line["id"])
