"""How far several answers say the same: exactly, by number, or by meaning unless they contradict
each other.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from fledgling.core.answers import contains, normalise
from fledgling.core.runtime import one_thread
from fledgling.teachers.aggregators.contradiction import content, contradiction, numbers
from fledgling.teachers.settings import AgreementSection

Embed = Callable[[list[str]], np.ndarray]


@dataclass(frozen=True)
class Agreement:
    """``score``: mean pair score of all answers with the consensus answer, itself included; 0..1.

    ``pairs`` is the symmetric matrix (A, A) of pair scores, ``groups`` (A,) numbers the camps,
    biggest first.
    """

    score: float
    pairs: np.ndarray
    groups: tuple[int, ...]


class EmbeddingCache:
    """Remembers the latest ``capacity`` embeddings, so that an answer is embedded once. Safe to
    share by threads. They are computed on one thread, so that no decision depends on their number.
    """

    def __init__(self, embed: Embed, capacity: int) -> None:
        self._embed = embed
        self._capacity = capacity
        self._kept: OrderedDict[str, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, texts: list[str]) -> np.ndarray:
        """Texts → (N, D), L2-normalised rows."""
        with self._lock:
            missing = [text for text in dict.fromkeys(texts) if text not in self._kept]
            with one_thread():
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
    shorter, longer = sorted((normalise(left), normalise(right)), key=lambda text: text.count(" "))
    if shorter == longer:
        return 1.0
    if contradiction(left, right, section) is not None:
        return 0.0
    if len(shorter.split()) <= section.short_words:
        meant = content(shorter)
        same = holds(longer, shorter) or (bool(meant) and meant <= content(longer))
        return 1.0 if same else 0.0
    cosine = min(max(cosine, 0.0), 1.0)
    return cosine if cosine >= section.semantic else cosine / 2


def holds(text: str, answer: str) -> bool:
    """Whether ``answer`` stands in ``text`` as whole words, or as its number however that is
    written.

    >>> holds("A spider has eight legs.", "8"), holds("It has 18 legs.", "8")
    (True, False)
    """
    if contains(text, [answer]):
        return True
    wanted = numbers(answer)
    # two words at most, as in "eight legs": a longer answer says more than its number
    return len(wanted) == 1 and normalise(answer).count(" ") < 2 and wanted <= numbers(text)


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
    cosines = embeddings @ embeddings.T  # (A, A)
    pairs = np.eye(len(texts))
    for one, other in combinations(range(len(texts)), 2):
        score = pair_score(texts[one], texts[other], float(cosines[one, other]), section)
        pairs[one, other] = pairs[other, one] = score
    support = float(pairs.sum(axis=1).max()) / max(len(texts), expected)
    return Agreement(support, pairs, group_answers(pairs, section.same))


def group_answers(pairs: np.ndarray, same: float) -> tuple[int, ...]:
    """Camps by greedy seeding: the answer most agreed with gathers its like, then the next. (A, A)
    → (A,).
    """
    groups = np.full(len(pairs), -1)
    number = 0
    while (groups == -1).any():
        open_ = groups == -1
        close = (pairs >= same) & open_[None, :]
        # ties between seeds go to the answer that is nearer to all others
        seed = int(np.where(open_, close.sum(axis=1) + pairs.mean(axis=1), -1).argmax())
        groups[close[seed]] = number
        groups[seed] = number
        number += 1
    return tuple(int(group) for group in groups)
