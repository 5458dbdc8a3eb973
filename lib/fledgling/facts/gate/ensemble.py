"""What the gate reads with: scorers of (fact, question) pairs that answer together."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fledgling.core.errors import ModelError
from fledgling.core.paths import DATA
from fledgling.models.pair_scorer import PairScorer, load_pair_scorer

SCORERS = DATA / "facts" / "gate" / "scorers"
MADE_BY = "python benchmarks/train_gate.py"
REMEMBERED = 8192  # scores kept, of some 200 bytes each


@dataclass(frozen=True)
class Ensemble:
    """Scorers trained apart, whose mean logit decides (a deep ensemble, Lakshminarayanan et al.,
    2017): their errors are only partly the same. The newest ``REMEMBERED`` scores are kept: what
    was asked of a fact once need not be read again.
    """

    members: tuple[PairScorer, ...]
    _kept: dict[tuple[str, str], float] = field(default_factory=dict, repr=False, compare=False)

    def score(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        """(fact, question) pairs → (N,) float32 probabilities that the question asks for what the
        fact states.
        """
        scores = {pair: self._kept[pair] for pair in pairs if pair in self._kept}
        fresh = [pair for pair in dict.fromkeys(pairs) if pair not in scores]
        if fresh:
            scores |= zip(fresh, self._read(fresh).tolist(), strict=True)
        for pair in scores:  # the newest stand last
            self._kept.pop(pair, None)
        self._kept.update(scores)
        for pair in list(itertools.islice(self._kept, max(len(self._kept) - REMEMBERED, 0))):
            del self._kept[pair]
        return np.array([scores[pair] for pair in pairs], dtype=np.float32)

    def _read(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        logits = [
            np.log(scores) - np.log1p(-scores)
            for scores in (
                member.score(pairs).astype(np.float64).clip(1e-6, 1 - 1e-6)
                for member in self.members
            )
        ]
        return (1.0 / (1.0 + np.exp(-np.mean(logits, axis=0)))).astype(np.float32)


def load_scorers(folder: Path = SCORERS) -> Ensemble:
    """The packaged scorers. Raises ``ModelError`` when there is none, or one is damaged."""
    paths = sorted(folder.glob("*.safetensors"))
    if not paths:
        raise ModelError(
            f"there is no scorer in {folder}; restore it from the repository, or train one with: "
            f"{MADE_BY}"
        )
    return Ensemble(tuple(load_pair_scorer(path, MADE_BY) for path in paths))
