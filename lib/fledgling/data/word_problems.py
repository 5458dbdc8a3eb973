"""One-sentence word problems: a pattern and a verb make a template, a name and a thing fill it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NAMES = ("Ann", "Ben", "Eva", "Ida", "Jim", "Leo", "Mia", "Sam", "Tom", "Zoe")
THINGS = ("nuts", "plums", "buns", "pies", "figs", "eggs", "cakes", "beans")
GAINS = ("got", "won", "found", "bought", "picked", "made")
LOSSES = ("lost", "ate", "sold", "used", "dropped", "gave")
PATTERNS = (
    "{name} had {a} {things}, {verb} {b}, has {result}",
    "{a} {things}, then {name} {verb} {b}, now {result}",
    "{name} {verb} {b} {things}, had {a}, has {result}",
    "from {a} {things} {name} {verb} {b}: {result}",
    "once {name} had {a} {things} but {verb} {b}: {result}",
    "as {name} {verb} {b} {things}, {a} became {result}",
    "{name} with {a} {things} {verb} {b}, so {result}",
    "at {a} {things} {name} {verb} {b} and has {result}",
    "{name} {verb} {b} of {things} after {a}, now {result}",
    "{name}, who had {a} {things}, {verb} {b}: {result}",
    "when {name} {verb} {b}, the {a} {things} were {result}",
    "{things}: {a}, {name} {verb} {b}, left {result}",
)


@dataclass(frozen=True)
class Frame:
    """A template: one pattern with one verb. ``gains``: the second number is added, otherwise taken away."""

    pattern: str
    verb: str
    gains: bool

    @property
    def item(self) -> str:
        """What must not be in two splits."""
        return f"{self.pattern} | {self.verb}"


def frames() -> dict[str, list[Frame]]:
    """All templates, those that add and those that take away, so that both are split alike."""
    return {
        "gains": [Frame(pattern, verb, True) for pattern in PATTERNS for verb in GAINS],
        "losses": [Frame(pattern, verb, False) for pattern in PATTERNS for verb in LOSSES],
    }


def tell(frame: Frame, a: int, b: int, result: str, generator: np.random.Generator) -> str:
    """The sentence of ``frame`` about ``a`` and ``b``; ``result`` as it is to be shown, such as ``8_``."""
    name, things = NAMES[int(generator.integers(len(NAMES)))], THINGS[int(generator.integers(len(THINGS)))]
    return frame.pattern.format(name=name, things=things, verb=frame.verb, a=a, b=b, result=result)
