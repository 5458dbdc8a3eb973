"""Named features, the reaction's embedding and its hashed words → calibrated probabilities of the
four labels: multinomial logistic regression, its scale fitted on dialogues left out of the fit
(temperature scaling, Guo et al., 2017).

The coefficients are data: data/feedback/judge.json.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from fledgling.core.errors import DataError
from fledgling.core.files import read_json, write_json
from fledgling.feedback.judging.dialogues import FOLDER, LABELS
from fledgling.feedback.judging.signals import Observation
from fledgling.feedback.judging.words import words_of

HASHED = 512  # places for words; more did not help in cross-validation
WORD_SCALE = 0.3  # how much a word counts beside a named feature
COEFFICIENTS = FOLDER / "judge.json"


@dataclass(frozen=True)
class Coefficients:
    """What was fitted: ``weights`` (4, F + D + HASHED) over ``names``, embedding and words,
    ``bias`` (4,), the ``temperature`` of the log-odds, and the ``ranker`` of corrected answers.
    """

    names: tuple[str, ...]
    weights: np.ndarray
    bias: np.ndarray
    temperature: float
    ranker: dict[str, float]

    def probabilities(self, rows: np.ndarray, names: Sequence[str]) -> np.ndarray:
        """(N, 4) probabilities in the order of ``LABELS``. Raises ``DataError`` for other
        features.
        """
        if tuple(names) != self.names:
            raise DataError(
                f"{COEFFICIENTS} was fitted on other features; fit it again with:"
                " python benchmarks/train_feedback_reader.py"
            )
        return softmax((rows @ self.weights.T + self.bias) / self.temperature)

    def save(self, path: Path = COEFFICIENTS) -> None:
        values = asdict(self)
        values["weights"] = [[round(float(x), 5) for x in row] for row in self.weights]
        values["bias"] = [round(float(x), 5) for x in self.bias]
        values["ranker"] = {name: round(value, 5) for name, value in self.ranker.items()}
        write_json(path, values)

    @classmethod
    def load(cls, path: Path = COEFFICIENTS) -> Coefficients:
        """Read coefficients. Raises ``DataError`` when the file is missing or of another shape."""
        try:
            values = read_json(path)
            return cls(
                tuple(values["names"]),
                np.array(values["weights"]),
                np.array(values["bias"]),
                float(values["temperature"]),
                dict(values["ranker"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path} does not hold the judge's coefficients: {error}") from error


def softmax(scores: np.ndarray) -> np.ndarray:
    """Rows of log-odds to rows of probabilities."""
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def design(observations: Sequence[Observation], named: np.ndarray) -> np.ndarray:
    """(N, F + D + HASHED): named features, embedding, hashed words."""
    words = np.zeros((len(observations), HASHED))
    for row, seen in zip(words, observations, strict=True):
        for word in words_of(seen.exchange.reaction or ""):
            row[zlib.crc32(word.encode()) % HASHED] += WORD_SCALE
    vectors = [seen.embedding for seen in observations]
    return np.hstack([named, np.array(vectors), words]) if vectors else np.zeros((0, 0))


@dataclass(frozen=True)
class Fitting:
    """How the classifier is fitted: ``strength`` and ``ranker_strength`` are inverse L2 penalties,
    ``single_weight`` the weight of an exchange without a dialogue.
    """

    strength: float = 2.0
    ranker_strength: float = 0.8
    single_weight: float = 0.8
    folds: int = 5


def fit_weights(
    rows: np.ndarray, labels: np.ndarray, sample_weights: np.ndarray, strength: float
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (4, F) and bias (4,) of the logistic regression."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, max_iter=5000)
    model.fit(rows, labels, sample_weight=sample_weights)
    order = [list(model.classes_).index(label) for label in LABELS]
    return model.coef_[order], model.intercept_[order]


def fit_temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    """The temperature at which left-out log-odds (N, 4) are least surprised by the labels."""
    from scipy.optimize import minimize_scalar

    places = np.array([LABELS.index(label) for label in labels])

    def loss(log_temperature: float) -> float:
        shares = softmax(scores / np.exp(log_temperature))
        return -float(np.log(shares[np.arange(len(places)), places] + 1e-12).mean())

    found = minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded")
    return float(np.exp(found.x))


def folds_of(dialogues: Sequence[str], count: int, generator: np.random.Generator) -> np.ndarray:
    """(N,) the fold of each row, whole dialogues together; single exchanges are in none (−1)."""
    names = sorted({name for name in dialogues if not name.startswith("exchange-")})
    fold = {name: place % count for place, name in enumerate(generator.permutation(names))}
    return np.array([fold.get(name, -1) for name in dialogues])
