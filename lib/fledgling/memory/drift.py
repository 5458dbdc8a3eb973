"""Streams of queries to route: made up, with a best model that changes half-way, or read from a
table of who answered what rightly.
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fledgling.core.errors import DataError
from fledgling.feedback.judging.signals import Embeds, embed_once
from fledgling.memory.routers import new_router
from fledgling.memory.settings import RouterSection

NAMES = ("stdp", "knn", "logistic", "random")


@dataclass(frozen=True)
class Stream:
    """``queries`` (N, D) of length 1, ``chances`` (N, M) of each model to answer rightly,
    ``outcomes`` (N, M) drawn from them, and ``change``: from where on chances are others (N for
    never).
    """

    models: tuple[str, ...]
    queries: np.ndarray
    chances: np.ndarray
    outcomes: np.ndarray
    change: int


def drifting(count: int, seed: int, *, topics: int = 4, width: int = 32) -> Stream:
    """Three models and a few topics; each topic has its best model (.9, the others .3 to .6), and
    half-way the best model of every topic becomes another one.
    """
    rng = np.random.default_rng(seed)
    models = ("a", "b", "c")
    centres = rng.normal(size=(topics, width))
    topic = rng.integers(topics, size=count)
    queries = centres[topic] + 0.5 * rng.normal(size=(count, width))
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    best = rng.integers(3, size=topics)
    chances = np.empty((count, 3))
    before, after = (_chances(one, rng) for one in (best, (best + 1 + rng.integers(2)) % 3))
    chances[: count // 2] = before[topic[: count // 2]]
    chances[count // 2 :] = after[topic[count // 2 :]]
    outcomes = (rng.random((count, 3)) < chances).astype(float)
    return Stream(models, queries, chances, outcomes, count // 2)


def _chances(best: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    table = rng.uniform(0.3, 0.6, (len(best), 3))
    table[np.arange(len(best)), best] = 0.9
    return table


def read_table(path: Path, embedder: Embeds, prices: dict[str, float], seed: int) -> Stream:
    """A stream from a table with ``prompt`` and one ``<model>_correct`` column a model, in random
    order. A model's price, a share of a right answer's worth, is taken off its outcome.

    Raises ``DataError`` when the columns are missing.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    models = tuple(name for name in (rows[0] if rows else ()) if name.endswith("_correct"))
    if not models or "prompt" not in rows[0]:
        raise DataError(f"{path} needs a column prompt and one <model>_correct column a model")
    order = np.random.default_rng(seed).permutation(len(rows))
    rows = [rows[place] for place in order]
    queries = embed_once(embedder, [row["prompt"] for row in rows])
    outcomes = np.array([[float(row[name] == "True") for name in models] for row in rows])
    outcomes -= np.array([prices.get(name.removesuffix("_correct"), 0.0) for name in models])
    short = tuple(name.removesuffix("_correct") for name in models)
    return Stream(short, queries, outcomes, outcomes, len(rows))


@dataclass(frozen=True)
class RoutingResult:
    """What a router earned: ``reward`` a query, received; ``expected`` (N,) the chance of the model
    that it asked, query by query; ``best`` (N,) the chance of the best one; ``recovery``: queries
    after the change until it is within 5% of best, over the last 50 (None: never).
    """

    name: str
    reward: float
    expected: np.ndarray
    best: np.ndarray
    recovery: int | None


def route(stream: Stream, name: str, section: RouterSection, seed: int) -> RoutingResult:
    """Send a stream through a router: stdp, knn, logistic, random, always_best or oracle."""
    rng = np.random.default_rng([seed, 1])
    models = list(stream.models)
    count = len(stream.queries)
    if name == "oracle":
        chosen = stream.chances.argmax(axis=1)
    elif name == "always_best":
        chosen = np.full(count, int(stream.outcomes.mean(axis=0).argmax()))
    else:
        router = new_router(name, models, stream.queries.shape[1], section, rng)
        chosen = np.empty(count, dtype=int)
        for place, query in enumerate(stream.queries):
            chosen[place] = models.index(router.choose(query))
            router.reward(float(stream.outcomes[place, chosen[place]]))
    rows = np.arange(count)
    expected, best = stream.chances[rows, chosen], stream.chances.max(axis=1)
    reward = float(stream.outcomes[rows, chosen].mean())
    return RoutingResult(name, reward, expected, best, recovery(expected, best, stream.change))


def recovery(
    expected: np.ndarray, best: np.ndarray, change: int, *, window: int = 50
) -> int | None:
    """Queries after ``change`` until the mean over the last ``window`` of what was expected is at
    least 95% of the best; None where it never is.
    """
    if len(expected) - change < window:
        return None
    ratio = np.convolve(expected[change:], np.ones(window), "valid") / np.convolve(
        best[change:], np.ones(window), "valid"
    )
    within = np.flatnonzero(ratio >= 0.95)
    return int(within[0]) + window if len(within) else None
