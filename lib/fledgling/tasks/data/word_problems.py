"""One-sentence word problems: a pattern and a change make a template, a name and a thing fill
it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fledgling.tasks.data.examples import choose

NAMES = ("Ann", "Ben", "Eva", "Leo", "Mia", "Sam", "Tom", "Zoe")
THINGS = ("nuts", "pens", "buns", "figs", "eggs", "cups")
GAINS = (
    "got {b} more",
    "won {b} more",
    "found {b} more",
    "bought {b} more",
    "picked {b} more",
    "made {b} more",
)
LOSSES = (
    "gave {b} away",
    "threw {b} away",
    "took {b} away",
    "put {b} away",
    "sent {b} away",
    "tossed {b} away",
)
PATTERNS = (
    "{name} had {a} {things}, {change}, has {result}",
    "{a} {things}, then {name} {change}, now {result}",
    "{name} {change}, had {a} {things}, has {result}",
    "from {a} {things} {name} {change}: {result}",
    "once {name} had {a} {things} but {change}: {result}",
    "as {name} {change}, {a} {things} became {result}",
    "{name} with {a} {things} {change}, so {result}",
    "at {a} {things} {name} {change} and has {result}",
    "{name}, who had {a} {things}, {change}: {result}",
    "when {name} {change}, the {a} {things} were {result}",
    "{things}: {a}, {name} {change}, left {result}",
    "after {a} {things} {name} {change}, now {result}",
)


@dataclass(frozen=True)
class Frame:
    """A template: one pattern with one change. ``gains``: the second number is added, otherwise
    taken away.
    """

    pattern: str
    change: str
    gains: bool

    @property
    def item(self) -> str:
        """What must not be in two splits."""
        return f"{self.pattern} | {self.change}"


def frames() -> dict[str, list[Frame]]:
    """All templates, those that add and those that take away, so that both are split alike."""
    return {
        "gains": [Frame(pattern, change, True) for pattern in PATTERNS for change in GAINS],
        "losses": [Frame(pattern, change, False) for pattern in PATTERNS for change in LOSSES],
    }


def tell(frame: Frame, a: int, b: int, result: str, generator: np.random.Generator) -> str:
    """The sentence of ``frame`` about ``a`` and ``b``; ``result`` as it is to be shown, such as
    ``8_``.
    """
    name, things = choose(NAMES, generator), choose(THINGS, generator)
    change = frame.change.format(b=b)
    return frame.pattern.format(name=name, things=things, change=change, a=a, result=result)
