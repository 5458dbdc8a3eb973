"""Other values of the kind that a value is: "Oslo" → "Bergen", "34" → "31". A question that is
to be denied or a choice needs one.

The kind is the category of the gate's word bank whose mean embedding is nearest; the means are
stored, so that one short text has to be embedded and not the whole bank.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from safetensors import safe_open

from fledgling.core.errors import DataError
from fledgling.core.files import read_yaml
from fledgling.core.paths import DATA
from fledgling.facts.gate.bank import FRAMES, SLOTS

KINDS = DATA / "facts" / "gate" / "kinds.safetensors"
_WORDS = re.compile(r"\w+")
_STEPS = (-7, -5, -3, -2, -1, 1, 2, 3, 4, 6, 9)

Embed = Callable[[list[str]], np.ndarray]


class NearestKind:
    """Draws values of the word bank's two categories that are nearest to a value."""

    def __init__(self, embed: Embed, kinds: Path = KINDS) -> None:
        self.embed, self.path = embed, kinds

    def __call__(self, value: str, rng: random.Random, count: int) -> list[str]:
        """At most ``count`` values other than ``value``; a number becomes other numbers."""
        if re.search(r"\d", value):
            steps = rng.sample(_STEPS, min(count, len(_STEPS)))
            changed = [_stepped(value, step) for step in steps]
            return [other for other in dict.fromkeys(changed) if other != value]
        names, means = _means(self.path)
        order = np.argsort(-(means @ self.embed([value])[0]), kind="stable")
        is_name = value[:1].isupper()  # a name is exchanged for a name, whatever it is close to
        near = [place for place in order if _are_names(names[place]) == is_name][:2]
        own = set(_WORDS.findall(value.lower()))
        pool = [
            other
            for place in near
            for other in bank_values()[names[place]]
            if not own & set(_WORDS.findall(other.lower()))
        ]
        return rng.sample(pool, min(count, len(pool)))


@cache
def _are_names(kind: str) -> bool:
    values = bank_values()[kind]
    return sum(value[0].isupper() for value in values) > len(values) / 2


@lru_cache(maxsize=1)
def bank_values(path: Path = SLOTS) -> dict[str, list[str]]:
    """The word bank's categories, each with its plain values."""
    values = {}
    for name, text in read_yaml(path).items():
        if isinstance(text, str) and name not in FRAMES:
            parts = [part.strip() for part in re.split(r"[,\n]", text)]
            values[name] = [part for part in parts if part and "{" not in part]
    return {name: parts for name, parts in values.items() if parts}


def kind_means(embed: Embed) -> np.ndarray:
    """(K, D) mean embedding of each category, of length 1: what ``KINDS`` stores."""
    means = np.stack([embed(parts).mean(0) for parts in bank_values().values()])
    return means / np.linalg.norm(means, axis=1, keepdims=True)


@lru_cache(maxsize=2)
def _means(path: Path) -> tuple[Sequence[str], np.ndarray]:
    try:
        with safe_open(path, "numpy") as file:
            means = file.get_tensor("means").astype(np.float32)
    except Exception as error:  # safetensors raises its own, undocumented type
        raise DataError(
            f"{path} cannot be read: {error}; restore it from the repository"
        ) from error
    names = tuple(bank_values())
    if len(names) != len(means):
        raise DataError(
            f"{path} knows {len(means)} categories, the word bank has {len(names)}; make it again"
            " with: python benchmarks/train_start.py --kinds"
        )
    return names, means


def _stepped(value: str, step: int) -> str:
    """The value with its first number moved, at least 1, as many digits where it starts with 0."""

    def moved(found: re.Match[str]) -> str:
        width = len(found[0]) if found[0].startswith("0") else 0
        return str(max(1, int(found[0]) + step)).zfill(width)

    return re.sub(r"\d+", moved, value, count=1)
