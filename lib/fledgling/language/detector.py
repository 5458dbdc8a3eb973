"""Is this a statement of the user's own about the world, in earnest? Two classifiers say it where
rules alone have reached their limit, and the mean of their log-odds counts.

The one is linear, over what the rules see (``features``) and the sentence embedding. The other
reads the words after the question that they answer: the sentence encoder, adapted
(``models.pair_scorer``). Both are data (data/language/), made by ``benchmarks/train_detector.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from scipy.special import expit, logit

from fledgling.core.errors import DataError
from fledgling.core.paths import DATA
from fledgling.language.candidates import Candidate
from fledgling.language.features import features
from fledgling.language.settings import LanguageSection
from fledgling.models.pair_scorer import PairScorer, load_pair_scorer

WEIGHTS = DATA / "language" / "detector.safetensors"
READER = DATA / "language" / "detector_reader.safetensors"
SURE = 1e-6  # no reader is surer than this
Embed = Callable[[list[str]], np.ndarray]
ScorePairs = Callable[[Sequence[tuple[str, str]]], np.ndarray]


@dataclass(frozen=True)
class Weights:
    """Log-odds: of each named feature that holds, of the embedding (D,), and of nothing at all."""

    named: Mapping[str, float]
    embedding: np.ndarray
    intercept: float


class Detector:
    """Judges candidates by weights, and by ``read`` where it is given: (text, question asked) pairs
    → (N,) probabilities. ``embed`` gives rows (N, D) of length 1.
    """

    def __init__(
        self,
        weights: Weights,
        embed: Embed,
        section: LanguageSection,
        read: ScorePairs | None = None,
    ) -> None:
        self.weights = weights
        self._embed, self._read = embed, read
        self._section = section

    def chances(self, candidates: Sequence[Candidate]) -> list[float]:
        """The chance (0 to 1) of each candidate to be a fact."""
        if not candidates:
            return []
        weights = self.weights
        rows = self._embed([candidate.text for candidate in candidates])
        scores = weights.intercept + rows @ weights.embedding
        for place, candidate in enumerate(candidates):
            seen = features(candidate, self._section)
            scores[place] += sum(weights.named.get(name, 0.0) for name in seen)
        if self._read is not None:
            read = self._read([(candidate.text, candidate.asked) for candidate in candidates])
            scores = (scores + logit(read.astype(np.float64).clip(SURE, 1 - SURE))) / 2
        return expit(scores).tolist()


def load_detector(
    embed: Embed,
    section: LanguageSection,
    *,
    path: Path = WEIGHTS,
    read: ScorePairs | None = None,
) -> Detector:
    """The detector with the weights that are shipped. Raises ``DataError`` for another file."""
    try:
        with safe_open(path, framework="numpy") as file:
            names = json.loads(file.metadata()["names"])
            named = dict(zip(names, file.get_tensor("named").tolist(), strict=True))
            embedding = file.get_tensor("embedding").astype(np.float64)
            intercept = float(file.get_tensor("intercept")[0])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path} holds no detector ({error}); make one with benchmarks/train_detector.py"
        ) from error
    return Detector(Weights(named, embedding, intercept), embed, section, read)


def choose_judge(section: LanguageSection, embed: Embed) -> Detector | None:
    """The judge that the configuration asks for; ``None`` leaves it to the rules."""
    if section.judge == "rules":
        return None
    return load_detector(embed, section, read=load_reader().score)


@cache
def load_reader() -> PairScorer:
    """The packaged reader of turns, loaded once."""
    return load_pair_scorer(READER, "python benchmarks/train_detector.py reader")


def save_weights(weights: Weights, path: Path = WEIGHTS) -> None:
    """Write weights in the form that ``load_detector`` reads."""
    tensors = {
        "named": np.array([*weights.named.values()], dtype=np.float32),
        "embedding": weights.embedding.astype(np.float32),
        "intercept": np.array([weights.intercept], dtype=np.float32),
    }
    save_file(tensors, path, metadata={"names": json.dumps([*weights.named])})
