"""What the gate reads with: scorers of (fact, question) pairs that answer together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fledgling.core.errors import ModelError
from fledgling.core.paths import DATA
from fledgling.models.pair_scorer import PairScorer, load_pair_scorer

SCORERS = DATA / "facts" / "gate" / "scorers"
MADE_BY = "python benchmarks/train_gate.py"


@dataclass(frozen=True)
class Ensemble:
    """Scorers trained apart, whose mean logit decides (a deep ensemble, Lakshminarayanan et al.,
    2017): their errors are only partly the same.
    """

    members: tuple[PairScorer, ...]

    def score(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        """(fact, question) pairs → (N,) float32 probabilities that the question asks for what the
        fact states.
        """
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
