"""Is this a statement of the user's own about the world, in earnest? A linear classifier says it
where rules alone have reached their limit.

It weighs what the rules see (``features``) and the sentence embedding of the words. Its weights are
data (data/language/detector.safetensors), fitted by ``benchmarks/train_detector.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from scipy.special import expit

from fledgling.core.errors import DataError
from fledgling.core.paths import DATA
from fledgling.language.candidates import Candidate
from fledgling.language.features import features
from fledgling.language.settings import LanguageSection

WEIGHTS = DATA / "language" / "detector.safetensors"
Embed = Callable[[list[str]], np.ndarray]


@dataclass(frozen=True)
class Weights:
    """Log-odds: of each named feature that holds, of the embedding (D,), and of nothing at all."""

    named: Mapping[str, float]
    embedding: np.ndarray
    intercept: float


class Detector:
    """Judges candidates by weights. ``embed`` gives rows (N, D) of length 1."""

    def __init__(self, weights: Weights, embed: Embed, section: LanguageSection) -> None:
        self.weights = weights
        self._embed = embed
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
        return expit(scores).tolist()


def load_detector(embed: Embed, section: LanguageSection, *, path: Path = WEIGHTS) -> Detector:
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
    return Detector(Weights(named, embedding, intercept), embed, section)


def choose_judge(section: LanguageSection, embed: Embed) -> Detector | None:
    """The judge that the configuration asks for; ``None`` leaves it to the rules."""
    return load_detector(embed, section) if section.judge == "detector" else None


def save_weights(weights: Weights, path: Path = WEIGHTS) -> None:
    """Write weights in the form that ``load_detector`` reads."""
    tensors = {
        "named": np.array([*weights.named.values()], dtype=np.float32),
        "embedding": weights.embedding.astype(np.float32),
        "intercept": np.array([weights.intercept], dtype=np.float32),
    }
    save_file(tensors, path, metadata={"names": json.dumps([*weights.named])})
