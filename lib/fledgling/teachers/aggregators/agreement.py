"""How far several answers say the same: exactly, by number, or by meaning unless they contradict
each other.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fledgling.teachers.aggregators.contradiction import (
    content,
    contradiction,
    normalise,
    numbers,
    words,
)
from fledgling.teachers.settings import AgreementSection

Embed = Callable[[list[str]], np.ndarray]


@dataclass(frozen=True)
class Agreement:
    """``score``: mean pair score of all answers with the consensus answer, itself included; 0..1.

    ``pairs`` is the symmetric matrix (A, A) of pair scores, ``groups`` (A,) numbers the camps,
    biggest first, ``consensus`` is the index of the answer that the others agree with most.
    """

    score: float
    pairs: np.ndarray
    groups: tuple[int, ...]
    consensus: int


class EmbeddingCache:
    """Remembers the latest ``capacity`` embeddings, so that an answer is embedded once. Safe to
    share by threads.
    """

    def __init__(self, embed: Embed, capacity: int = 4096) -> None:
        self._embed = embed
        self._capacity = capacity
        self._kept: OrderedDict[str, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, texts: list[str]) -> np.ndarray:
        """Texts → (N, D), L2-normalised rows."""
        with self._lock:
            missing = [text for text in dict.fromkeys(texts) if text not in self._kept]
            fresh = dict(zip(missing, self._embed(missing), strict=True)) if missing else {}
            found = np.stack([fresh[text] if text in fresh else self._kept[text] for text in texts])
            self._kept.update(fresh)
            for text in texts:
                self._kept.move_to_end(text)
            while len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
            return found


def pair_score(left: str, right: str, cosine: float, section: AgreementSection) -> float:
    """How far two answers agree, 0..1: 1 when equal or one holds the other, 0 when they contradict,
    else by cosine.

    A cosine below ``section.semantic`` counts half: near in topic, not the same claim.
    """
    if normalise(left) == normalise(right):
        return 1.0
    if contradiction(left, right) is not None:
        return 0.0
    shorter, longer = sorted((left, right), key=lambda text: len(words(text)))
    if len(normalise(shorter).split()) <= section.short_words:
        same = holds(longer, shorter) or (
            bool(content(shorter)) and content(shorter) <= content(longer)
        )
        return 1.0 if same else 0.0
    cosine = min(max(cosine, 0.0), 1.0)
    return cosine if cosine >= section.semantic else cosine / 2


def holds(text: str, answer: str) -> bool:
    """Whether ``answer`` stands in ``text`` as whole words, or as its number however that is
    written.

    >>> holds("A spider has eight legs.", "8"), holds("It has 18 legs.", "8")
    (True, False)
    """
    if f" {normalise(answer)} " in f" {normalise(text)} ":
        return True
    wanted = numbers(answer)
    return len(wanted) == 1 and len(normalise(answer).split()) <= 2 and wanted <= numbers(text)


def measure_agreement(
    texts: Sequence[str],
    embeddings: np.ndarray,
    section: AgreementSection,
    *,
    expected: int = 1,
) -> Agreement:
    """Agreement of at least one answer; ``embeddings`` is (A, D). Fewer answers than ``expected``
    cannot fully agree: the missing ones count as silence, so that a lone answer is no consensus.
    """
    count = len(texts)
    cosines = embeddings @ embeddings.T  # (A, A)
    pairs = np.eye(count)
    for row in range(count):
        for column in range(row):
            pairs[row, column] = pairs[column, row] = pair_score(
                texts[row], texts[column], float(cosines[row, column]), section
            )
    consensus = int(pairs.sum(axis=1).argmax())
    score = float(pairs[consensus].sum() / max(count, expected))
    return Agreement(score, pairs, group_answers(pairs, section.same), consensus)


def group_answers(pairs: np.ndarray, same: float) -> tuple[int, ...]:
    """Camps by greedy seeding: the answer most agreed with gathers its like, then the next. (A, A)
    → (A,).
    """
    groups = np.full(len(pairs), -1)
    number = 0
    while (groups == -1).any():
        open_ = groups == -1
        close = (pairs >= same) & open_[None, :]
        seed = int(np.where(open_, close.sum(axis=1) + pairs.mean(axis=1), -1).argmax())
        groups[close[seed]] = number
        groups[seed] = number
        number += 1
    return tuple(int(group) for group in groups)
