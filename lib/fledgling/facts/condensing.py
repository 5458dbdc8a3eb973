"""Many facts' prefixes become one, of at most a given number of slots.

It begins as what the base computes when it reads all statements one after the other; where they
take more slots than there are, words that carry little go first. It is then practised like a fact's
own prefix, with rows of all facts mixed and near misses among them (a cache distilled from many
texts: Eyuboglu et al., 2025, arXiv:2506.06266). It is made from what is remembered and from nothing
else, so nothing of a forgotten fact is in it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from fledgling.core.records import Example, Fact
from fledgling.core.words import FUNCTION_WORDS
from fledgling.facts.learner import OnlineLearner
from fledgling.facts.learning.trainer import Batch
from fledgling.facts.placements.in_prompt import system_prompt
from fledgling.facts.store import State
from fledgling.models.prefix import Prefix
from fledgling.models.prefixes import PrefixAdapter

_READ_TOGETHER = 100  # facts in one system prompt
_UNTOLD = "untold"
Pools = dict[str, list[Example]]  # a fact's rows by kind


class Condensation:
    """One condensing of ``facts``. ``state`` is what came of it, ``count`` the rows practised."""

    def __init__(self, learner: OnlineLearner, facts: Sequence[Fact]) -> None:
        self.learner, self.facts = learner, list(facts)
        self.section = learner.facts.consolidation
        self.count = 0
        self.state: State = {}

    def run(self) -> Iterator[tuple[int, int]]:
        """Yields after every update: updates done, and in all."""
        learner, section = self.learner, self.section
        adapter: PrefixAdapter = learner.adapter
        rng = random.Random(learner.seed)
        by_id = {fact.id: fact for fact in self.facts}
        practised = [fact for fact in self.facts if learner.lessons.has_rows(fact)]
        pools = [_by_kind(learner.lessons.all_examples(fact, rng)) for fact in practised]
        learner.trainer.start_fresh()
        adapter.begin(self._read())
        updates = section.updates * len(practised)
        for number in range(updates):
            rows = self._draw(pools, rng)
            batch = Batch(learner.lessons.encode(rows, by_id, [1.0] * len(rows)))
            rate = section.lr * (1.0 - number / updates)
            learner.trainer.step(batch, lr=rate, kl_weight=0.0)
            self.count += len(rows)
            yield number + 1, updates
        self.state = adapter.state()

    def _draw(self, pools: Sequence[Pools], rng: random.Random) -> list[Example]:
        """Rows of one update: each of another fact, of the kinds that are practised."""
        mixture = self.learner.facts.practice.mixture
        kinds = [rng.choice(mixture) for _ in range(self.section.rows)]
        kinds[: self.section.untold] = [_UNTOLD] * self.section.untold
        drawn = []
        for kind in kinds:
            pool = rng.choice(pools)
            rows = pool.get(kind) or pool.get("question") or next(iter(pool.values()))
            drawn.append(rng.choice(rows))
        return drawn

    def _read(self) -> Prefix:
        """The base's keys and values of all statements, in at most ``slots``."""
        count = math.ceil(len(self.facts) / _READ_TOGETHER)
        told = np.array_split(range(len(self.facts)), count)  # in even parts, with even room
        rooms = np.array_split(range(self.section.slots), count)
        parts = [
            self._cut(system_prompt([self.facts[place] for place in block]), len(room))
            for block, room in zip(told, rooms, strict=True)
        ]
        layers = zip(*(part.layers for part in parts), strict=True)
        return Prefix(
            [tuple(torch.cat(each, dim=2) for each in zip(*layer, strict=True)) for layer in layers]
        )

    def _cut(self, system: str, slots: int) -> Prefix:
        """What is read of a system prompt, without the tokens that can best be spared."""
        adapted = self.learner.adapted
        ids = adapted.system_ids(system)
        prefix = adapted.read(ids)
        words = [adapted.tokenizer.decode([token]).strip().lower() for token in ids]
        chosen = spared(words, slots)
        return Prefix([tuple(each[:, :, chosen] for each in layer) for layer in prefix.layers])


def _by_kind(rows: Sequence[Example]) -> Pools:
    pools: Pools = {}
    for row in rows:
        pools.setdefault(row.kind, []).append(row)
    return pools


def spared(words: Sequence[str], slots: int) -> list[int]:
    """The places of at most ``slots`` words that are kept, in order: the first and the last ones,
    which frame the text, then content words, the others as far as there is room. Where even the
    content words are too many, they are thinned evenly.

    >>> spared(["<s>", "tom", "is", "a", "judge", ".", "</s>"], 4)
    [0, 1, 4, 6]
    """
    if len(words) <= slots:
        return list(range(len(words)))
    frame = {0, len(words) - 1}
    full = [n for n, word in enumerate(words) if n not in frame and _carries(word)]
    rest = [n for n, word in enumerate(words) if n not in frame and not _carries(word)]
    room = max(0, slots - len(frame))
    kept = _evenly(full, room) + _evenly(rest, room - min(room, len(full)))
    return sorted(frame | set(kept))


def _carries(word: str) -> bool:
    return word not in FUNCTION_WORDS and any(sign.isalnum() for sign in word)


def _evenly(places: Sequence[int], count: int) -> list[int]:
    if count >= len(places):
        return list(places)
    return [places[int(n * len(places) / count)] for n in range(count)]
