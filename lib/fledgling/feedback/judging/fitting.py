"""The judge's coefficients from labelled exchanges, cross-validated by dialogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fledgling.feedback.judging.classifier import (
    Coefficients,
    Fitting,
    design,
    fit_temperature,
    fit_weights,
    folds_of,
)
from fledgling.feedback.judging.corrections import fit_ranker
from fledgling.feedback.judging.dialogues import LABELS, Labelled
from fledgling.feedback.judging.judge import answers_of, rank_features, reading_features
from fledgling.feedback.judging.signals import Embeds, Exchange, matrix, observe
from fledgling.feedback.judging.span_reader import Reading
from fledgling.feedback.settings import SignalsSection
from fledgling.language.settings import LanguageSection


def fit(
    labelled: Sequence[Labelled],
    embedder: Embeds,
    section: SignalsSection,
    language: LanguageSection,
    fitting: Fitting,
    corrections: Sequence[Labelled] = (),
    readings: np.ndarray | None = None,
    spans: Mapping[Exchange, Reading] | None = None,
) -> tuple[Coefficients, list[tuple[Labelled, np.ndarray, str]]]:
    """Coefficients from labelled exchanges, and what cross-validation by dialogue says of each: its
    probabilities (4,) and extracted answer from a fit that had not seen its dialogue. On
    ``corrections`` only the ranker of answers is fitted. ``readings`` (N, 4) is what readers that
    had not seen the exchanges say of them; without it the coefficients do without a reader.
    ``spans`` is likewise what readers of answers make of the turns.
    """
    spans = spans or {}
    seen = observe(
        [one.exchange for one in labelled],
        embedder,
        language,
        max_characters=section.max_characters,
    )
    labels = np.array([one.label for one in labelled])
    fold = folds_of([one.dialogue for one in labelled], fitting.folds, np.random.default_rng(0))
    weights = np.where(fold < 0, fitting.single_weight, 1.0)
    # Single exchanges are in no fold of the classifier, but no ranker may rank what it was fitted
    # on: the classifier would learn to trust its scores too much.
    parts = np.where(fold < 0, np.arange(len(fold)) % fitting.folds, fold)
    rankers = [
        _fit_ranker([*_chosen(labelled, parts != place), *corrections], language, fitting, spans)
        for place in range(fitting.folds)
    ]
    ranked = [
        answers_of(one.exchange, rankers[place], language, spans.get(one.exchange))
        for one, place in zip(seen, parts, strict=True)
    ]
    more = [rank_features(found) for found in ranked]
    if readings is not None:
        more = [one | reading_features(row) for one, row in zip(more, readings, strict=True)]
    named, names = matrix(seen, more)
    rows = design(seen, named)
    scores = np.zeros((len(labelled), len(LABELS)))
    for place in range(fitting.folds):
        inside, outside = fold != place, fold == place
        slopes, bias = fit_weights(rows[inside], labels[inside], weights[inside], fitting.strength)
        scores[outside] = rows[outside] @ slopes.T + bias
    own = fold >= 0
    temperature = fit_temperature(scores[own], labels[own])
    slopes, bias = fit_weights(rows, labels, weights, fitting.strength)
    ranker = _fit_ranker([*labelled, *corrections], language, fitting, spans)
    coefficients = Coefficients(tuple(names), slopes, bias, temperature, ranker)
    shares = np.exp(scores / temperature)
    shares /= shares.sum(axis=1, keepdims=True)
    answers = [found[0][1] if found else "" for found in ranked]
    left_out = [(labelled[place], shares[place], answers[place]) for place in np.flatnonzero(own)]
    return coefficients, left_out


def _chosen(labelled: Sequence[Labelled], chosen: np.ndarray) -> list[Labelled]:
    return [one for one, used in zip(labelled, chosen, strict=True) if used]


def _fit_ranker(
    labelled: Sequence[Labelled],
    language: LanguageSection,
    fitting: Fitting,
    spans: Mapping[Exchange, Reading],
) -> dict[str, float]:
    exchanges = [one.exchange for one in labelled if one.label == "correction"]
    accepted = [one.answers for one in labelled if one.label == "correction"]
    cases = [
        (one.prompt, one.reply, one.reaction or "", answers)
        for one, answers in zip(exchanges, accepted, strict=True)
    ]
    readings = [spans.get(one) for one in exchanges]
    return fit_ranker(cases, language, strength=fitting.ranker_strength, readings=readings)
