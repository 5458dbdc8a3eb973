"""The right answer inside a correction: "no, it's Canberra" → "Canberra".

Every phrase between two edges that a phrase can have is a candidate; a linear model over what
speaks for and against them (``descriptions``, and a reader of the turn, ``span_reader``) ranks
them. Its coefficients are data (data/feedback/judge.json), fitted by
``benchmarks/train_feedback_reader.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from fledgling.feedback.judging.descriptions import Features, describe
from fledgling.feedback.judging.grammar import read_grammar
from fledgling.feedback.judging.span_reader import Reading
from fledgling.feedback.judging.spans import Exchanged, Span
from fledgling.feedback.judging.turns import Token, Turn, read_turn
from fledgling.feedback.judging.words import plain
from fledgling.language.corrections import find_correction
from fledgling.language.settings import LanguageSection

MAX_WORDS = 10
_NO_START = frozenset(("be", "have", "modal", "conjunction"))
_NO_END = frozenset(("be", "have", "modal", "conjunction", "determiner", "negation"))
_LEADS_ON = frozenset(("of", "to", "than", "from", "with", "by"))  # no phrase ends with them


def candidates(
    reaction: str,
    prompt: str,
    reply: str,
    language: LanguageSection,
    reading: Reading | None = None,
) -> list[tuple[str, Features]]:
    """Every phrase that may be the answer, with what speaks for and against it; ``reading``: what
    a reader makes of the turn.
    """
    turn = read_turn(reaction)
    read = find_correction(turn.text, prompt, language) if turn.tokens else None
    as_read = (read.answer or read.said) if read else ""
    seen = Exchanged(turn, prompt, reply, as_read.strip(" .,!?"))
    spans = (Span(seen, start, stop) for start, stop in _spans(turn))
    telling = [span for span in spans if span.telling and span.text]
    if reading is None:
        return [(span.text, describe(span)) for span in telling]
    return [
        (span.text, describe(span) | reading.features(span.tokens[0].start, span.tokens[-1].end))
        for span in telling
    ]


def _spans(turn: Turn) -> Iterator[tuple[int, int]]:
    """Where phrases begin and end: within a sentence, at most ``MAX_WORDS`` long."""
    tokens = turn.tokens
    for start in range(len(tokens)):
        if not _may_start(turn, start):
            continue
        for stop in range(start + 1, min(start + MAX_WORDS, len(tokens)) + 1):
            last = stop - 1
            if turn.opens[last] or (last > start and tokens[last - 1].stop not in ("", ",")):
                break
            text = turn.text[tokens[start].start : tokens[last].end]
            if _may_end(turn, last) and text.count('"') % 2 == 0:
                yield start, stop


def _may_start(turn: Turn, place: int) -> bool:
    token = turn.tokens[place]
    if turn.opens[place] or token.kind in _NO_START or token.text.startswith("'"):
        return False
    before = turn.tokens[place - 1] if place else None
    if before is None or turn.clause_of[place] != turn.clause_of[place - 1]:
        return True
    if not turn.opens[place - 1] and len(before.word) == len(token.word) == 1:
        return False  # letters that are spelled out stay together
    if token.word == "at" and _is_time(before):
        return False  # "friday at 6"
    if token.kind == "number" and place > 1:
        second = turn.tokens[place - 2]
        is_range = before.word in ("to", "-") and second.kind == "number"
        if is_range or (before.word == "at" and _is_time(second)):
            return False
    return turn.opens[place - 1] or before.kind != "other" or token.kind != "other"


def _is_time(token: Token) -> bool:
    return token.word.rstrip("s") in read_grammar().words["times"]


def _may_end(turn: Turn, place: int) -> bool:
    token = turn.tokens[place]
    possesses = token.word == "'s" and bool(token.stop)  # "it's Ben's"
    if (token.kind in _NO_END and not possesses) or token.word in _LEADS_ON:
        return False
    if token.stop or turn.clause_of[place + 1] != turn.clause_of[place]:
        return True
    after = turn.tokens[place + 1]
    if len(after.word) == len(token.word) == 1:
        return False
    beyond = turn.tokens[place + 2] if not after.stop else None
    if after.word in ("to", "-") and token.kind == "number" and beyond is not None:
        return beyond.kind != "number"
    return after.kind != "other" or token.kind != "other"


def rank(
    reaction: str,
    *,
    prompt: str,
    reply: str,
    weights: Mapping[str, float],
    language: LanguageSection,
    reading: Reading | None = None,
) -> list[tuple[float, str]]:
    """(score, candidate) of every candidate, the best first."""
    scored = [
        (sum(weights.get(name, 0.0) * value for name, value in described.items()), answer)
        for answer, described in candidates(reaction, prompt, reply, language, reading)
    ]
    return sorted(scored, key=lambda pair: -pair[0])


def fit_ranker(
    cases: Sequence[tuple[str, str, str, Sequence[str]]],
    language: LanguageSection,
    *,
    strength: float,
    readings: Sequence[Reading | None] = (),
) -> dict[str, float]:
    """Weights of the ranker from (prompt, reply, reaction, accepted answers): the conditional logit
    model (McFadden, 1974) over the candidates of each turn, with an L2 penalty of
    1 / (2·``strength``). ``readings``: what readers that had not seen the turns make of them.
    """
    described: list[tuple[list[Features], np.ndarray]] = []
    for case, reading in zip(cases, readings or [None] * len(cases), strict=True):
        prompt, reply, reaction, accepted = case
        found = candidates(reaction, prompt, reply, language, reading)
        wanted = {plain(answer) for answer in accepted}
        right = np.array([plain(answer) in wanted for answer, _ in found])
        if right.any():
            described.append(([features for _, features in found], right))
    names = sorted({name for rows, _ in described for row in rows for name in row})
    turns = [
        (np.array([[row.get(name, 0.0) for name in names] for row in rows]), right)
        for rows, right in described
    ]
    weights = _fit_choices(turns, len(names), strength)
    return {name: float(value) for name, value in zip(names, weights, strict=True)}


def _fit_choices(
    turns: Sequence[tuple[np.ndarray, np.ndarray]], count: int, strength: float
) -> np.ndarray:
    """(F,) weights under which the right ones (N,) of each turn's rows (N, F) are most likely."""
    from scipy.optimize import minimize

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        total, slope = float(weights @ weights) / (2 * strength), weights / strength
        for rows, right in turns:
            scores = rows @ weights
            shares = np.exp(scores - scores.max())
            shares /= shares.sum()
            hit = shares[right].sum()
            total -= float(np.log(hit))
            slope = slope + rows.T @ shares - rows[right].T @ (shares[right] / hit)
        return total, slope

    return minimize(loss, np.zeros(count), jac=True, method="L-BFGS-B").x
