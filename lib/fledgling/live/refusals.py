""" "Not about that": questions that a person took away from a fact, and the gate keeps to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from fledgling.facts.learner import GateReaders


class Refusals:
    """A gate's readers that remember refusals: a fact scores 0 for a question refused to it,
    and for one that is nearly the same, so that the next candidate is considered instead.
    """

    def __init__(self, readers: GateReaders, similarity: float) -> None:
        self._embed, self._score = readers.embedder.embed, readers.scorer.score
        self._similarity = similarity
        self._refused: dict[str, np.ndarray] = {}  # fact → (R, D) its refused questions, embedded
        self.readers = replace(readers, scorer=self)

    def set_all(self, refused: Iterable[tuple[str, str]]) -> None:
        """Keep to exactly these: (fact as the gate reads it, question)."""
        questions: dict[str, list[str]] = {}
        for fact, question in refused:
            questions.setdefault(fact, []).append(question)
        self._refused = {fact: self._embed(asked) for fact, asked in questions.items()}

    def score(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        """(N,) the scorer's probabilities, 0 where refused."""
        scores = np.array(self._score(pairs))
        places = [place for place, (fact, _) in enumerate(pairs) if fact in self._refused]
        if not places:
            return scores
        asked = list(dict.fromkeys(pairs[place][1] for place in places))
        rows = dict(zip(asked, self._embed(asked), strict=True))
        for place in places:
            fact, question = pairs[place]
            if (self._refused[fact] @ rows[question]).max() >= self._similarity:
                scores[place] = 0.0
        return scores
