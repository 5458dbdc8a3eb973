"""From (question, reply, next turn) to feedback: a label with its probability, a quality,
the signals seen, and the answer the user gave.

Neutral is the default: another label must be likely enough. "A follow-up means the reply was good"
is kept as ``documented_rule``, to be held beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache

import numpy as np

from fledgling.core.records import Feedback
from fledgling.feedback.judging.classifier import Coefficients, design
from fledgling.feedback.judging.corrections import rank
from fledgling.feedback.judging.dialogues import FOLDER, LABELS
from fledgling.feedback.judging.signals import (
    Embeds,
    Exchange,
    Observation,
    matrix,
    observe,
    signals_of,
)
from fledgling.feedback.judging.span_reader import Reading, asked, load_span_reader, read_spans
from fledgling.feedback.judging.turns import read_turn
from fledgling.feedback.settings import SignalsSection
from fledgling.language.settings import LanguageSection
from fledgling.models.pair_scorer import PairScorer, load_pair_scorer

READER = FOLDER / "reader.safetensors"
READ_CHARACTERS = 300  # of a text at most: what the reader's window holds
SUREST = 1e-4  # no reading is surer than this
READ_BY_SPANS = frozenset(("read_begins", "read_ends"))  # features of ``span_reader``

Ranked = list[tuple[float, str]]
Read = Callable[[Sequence[tuple[str, str]]], np.ndarray]


class Judge:
    """Judges exchanges with fitted coefficients; all that it learned is in data/feedback."""

    def __init__(
        self,
        embedder: Embeds,
        section: SignalsSection,
        language: LanguageSection,
        coefficients: Coefficients | None = None,
        read: Read | None = None,
    ) -> None:
        """``read``: pairs as ``pair_of`` makes them → (N, 4) probabilities; the packaged reader
        where the coefficients ask for one and none is given.
        """
        self.embedder, self.section, self.language = embedder, section, language
        self.coefficients = coefficients or Coefficients.load()
        self._read = read

    def judge(self, exchanges: Sequence[Exchange]) -> list[Feedback]:
        """Feedback for each exchange, in order; about 50 ms each on one core, less in bulk."""
        if not exchanges:
            return []
        seen = observe(
            exchanges, self.embedder, self.language, max_characters=self.section.max_characters
        )
        ranked = self._ranked([one.exchange for one in seen])
        named, names = matrix(seen, self._more(seen, ranked))
        table = self.coefficients.probabilities(design(seen, named), names)
        return [
            self._feedback(one, shares, found)
            for one, shares, found in zip(seen, table, ranked, strict=True)
        ]

    def chances(self, exchange: Exchange) -> dict[str, float]:
        """The calibrated probability of every label."""
        limit = self.section.max_characters
        seen = observe([exchange], self.embedder, self.language, max_characters=limit)
        (ranked,) = self._ranked([exchange])
        named, names = matrix(seen, self._more(seen, [ranked]))
        table = self.coefficients.probabilities(design(seen, named), names)
        return dict(zip(LABELS, map(float, table[0]), strict=True))

    def _ranked(self, exchanges: Sequence[Exchange]) -> list[Ranked]:
        """The answers that each turn may hold, the likeliest first."""
        weights = self.coefficients.ranker
        readings: Sequence[Reading | None] = [None] * len(exchanges)
        if weights.keys() >= READ_BY_SPANS:
            readings = read_spans(load_span_reader(), [turn_of(one) for one in exchanges])
        return [
            answers_of(exchange, weights, self.language, reading)
            for exchange, reading in zip(exchanges, readings, strict=True)
        ]

    def _more(
        self, seen: Sequence[Observation], ranked: Sequence[Ranked]
    ) -> list[dict[str, float]]:
        """What is known of exchanges beside what is seen in them."""
        more = [rank_features(found) for found in ranked]
        if _reading_name(LABELS[0]) not in self.coefficients.names:
            return more
        read = self._read or load_reader().shares
        shares = read([pair_of(one.exchange) for one in seen])
        return [one | reading_features(row) for one, row in zip(more, shares, strict=True)]

    def answer(self, exchange: Exchange) -> str:
        """The right answer in a turn that is known to correct the reply, "" where none is found."""
        (ranked,) = self._ranked([exchange])
        return ranked[0][1] if ranked else ""

    def _feedback(self, seen: Observation, shares: np.ndarray, ranked: Ranked) -> Feedback:
        exchange = seen.exchange
        label = self._label(seen, shares, bool(ranked))
        probability = float(shares[LABELS.index(label)])
        return Feedback(
            label,
            probability,
            exchange.prompt,
            exchange.reply,
            exchange.reaction or "",
            quality_of(label, probability, self.section),
            signals_of(seen, label, self.section),
            ranked[0][1] if label == "correction" else "",
        )

    def _label(self, seen: Observation, shares: np.ndarray, has_answer: bool) -> str:
        if "silence" in seen.cues:
            return "neutral"  # leaving says nothing of the reply
        best = int(shares.argmax())
        if LABELS[best] == "correction" and not has_answer:
            return "negative"
        return LABELS[best] if shares[best] >= self.section.min_probability else "neutral"


@cache
def load_reader() -> PairScorer:
    """The packaged reader of exchanges, loaded once."""
    return load_pair_scorer(READER, "python benchmarks/train_feedback_reader.py")


def pair_of(exchange: Exchange) -> tuple[str, str]:
    """An exchange as the reader reads it: the question with its reply, and what was said next."""
    prompt, reply = exchange.prompt[:READ_CHARACTERS], exchange.reply[:READ_CHARACTERS]
    return f"{prompt} → {reply}", (exchange.reaction or "")[:READ_CHARACTERS]


def reading_features(shares: np.ndarray) -> dict[str, float]:
    """A row of the reader's probabilities (4,) as features of about −1 to 1."""
    logs = np.log(np.clip(shares, SUREST, 1.0)) / 5 + 0.5
    return {_reading_name(label): float(one) for label, one in zip(LABELS, logs, strict=True)}


def _reading_name(label: str) -> str:
    return f"read_{label}"


def quality_of(label: str, probability: float, section: SignalsSection) -> float:
    """The reply's quality in 0..1: the label's range, and in it as far out as it is sure. A
    corrected reply is worth 0.
    """
    if label == "correction":
        return 0.0
    low, high = section.quality[label]
    share = 1.0 - probability if label == "negative" else probability
    return round(low + (high - low) * share, 4)


def documented_rule(exchange: Exchange, cues: Iterable[str], near: float, same_topic: float) -> str:
    """The rule as first documented: denial or correction is negative, a follow-up on the topic
    positive, all else neutral.
    """
    cues = set(cues)
    if cues & {"denial", "corrects"}:
        return "negative"
    return "positive" if near >= same_topic or cues & {"thanks", "praise"} else "neutral"


def rule_labels(exchanges: Sequence[Exchange], judge: Judge) -> list[str]:
    """What the documented rule makes of exchanges."""
    section = judge.section
    seen = observe(exchanges, judge.embedder, judge.language, max_characters=section.max_characters)
    return [
        documented_rule(
            one.exchange, one.cues, max(one.to_prompt, one.to_reply), section.same_topic
        )
        for one in seen
    ]


def turn_of(exchange: Exchange) -> tuple[str, str]:
    """An exchange as the reader of answers reads it."""
    text = read_turn(exchange.reaction or "").text
    return asked(exchange.prompt, exchange.reply), text or "."


def answers_of(
    exchange: Exchange,
    ranker: dict[str, float],
    language: LanguageSection,
    reading: Reading | None = None,
) -> Ranked:
    """(score, answer) of every answer that a turn may hold, the likeliest first."""
    return rank(
        exchange.reaction or "",
        prompt=exchange.prompt,
        reply=exchange.reply,
        weights=ranker,
        language=language,
        reading=reading,
    )


def rank_features(ranked: Ranked) -> dict[str, float]:
    """How sure the ranker of answers is: a turn without a good candidate is no correction."""
    if not ranked:
        return {"answer_score": -1.0, "answer_margin": 0.0}
    margin = ranked[0][0] - ranked[1][0] if len(ranked) > 1 else 0.0
    return {"answer_score": ranked[0][0] / 10, "answer_margin": margin / 10}
