"""Fit the detector's weights, and say what each part of it is worth.

python benchmarks/train_detector.py choose    # cross-validated over families of tuning utterances
python benchmarks/train_detector.py           # fit on all of them, write data/language/detector.*
python benchmarks/train_detector.py reader    # train the reader, write detector_reader.safetensors

Only data/language/detector_tuning.jsonl and tuning.jsonl are fitted and chosen by; the settings of
the reader were chosen by detector_validation.jsonl. ``--all`` fits on these too, for the weights
that are shipped. A family is a
pattern of speech ("tag_right_bare"): whole families are left out, so that a score is about kinds of
utterances that the fit has not seen. The control is the rules alone (benchmarks/detection.py).
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from detection import Utterance, likeness, read_utterances
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from train_gate import Pair, train, trainable_scorer

from fledgling.core.paths import DATA
from fledgling.language.candidates import Candidate, find_candidates
from fledgling.language.detector import READER, WEIGHTS, Weights, save_weights
from fledgling.language.features import features
from fledgling.models.loading import load_embedder
from fledgling.models.pair_scorer import save_pair_scorer
from fledgling.settings import load_config

SECTION = load_config().language
TUNING = [DATA / "language" / name for name in ("detector_tuning.jsonl", "tuning.jsonl")]
VALIDATION = DATA / "language" / "detector_validation.jsonl"
EPOCHS, READER_LR, RANK = 4.0, 5e-4, 8  # of the reader
STRENGTHS = (0.05, 0.2, 1.0)
PARTS = ("both", "named", "embedding")
LEAST = 2  # turns in which a feature must be seen: what was seen once is learned by heart
FOLDS = 5
SCALE = 4.0  # of embeddings, whose entries are near 0.05, beside features that are 0 or 1
BATCH = 64
ROUNDS = 2  # fits, between which the facts of a turn are looked for again


@dataclass(frozen=True)
class Table:
    """Candidates as rows: which turn each is of, its features, its embedding (N, D)."""

    utterances: list[Utterance]
    turns: np.ndarray
    candidates: list[Candidate]
    named: list[set[str]]
    embedding: np.ndarray


def read_table(paths: list[Path]) -> Table:
    """Every candidate of every labelled turn."""
    utterances = [item for path in paths for item in read_utterances(path)]
    found = [find_candidates(item.turn, SECTION) for item in utterances]
    turns = np.repeat(np.arange(len(found)), [len(each) for each in found])
    candidates = [candidate for each in found for candidate in each]
    named = [features(candidate, SECTION) for candidate in candidates]
    rows = _embedded([candidate.text for candidate in candidates])
    return Table(utterances, turns, candidates, named, rows)


def _embedded(texts: list[str]) -> np.ndarray:
    """Rows (N, D); texts of about one length together, since a batch costs as its longest."""
    embedder, order = load_embedder(), np.argsort([len(text) for text in texts])
    found = [
        embedder.embed([texts[place] for place in order[start : start + BATCH]])
        for start in range(0, len(texts), BATCH)
    ]
    rows = np.concatenate(found)
    return rows[np.argsort(order)]


def first_labels(table: Table) -> np.ndarray:
    """Labels (N,) of the candidates: 1 and 0 where the turn's label tells, else -1."""
    labels = np.full(len(table.turns), -1)
    for turn, utterance in enumerate(table.utterances):
        rows = np.flatnonzero(table.turns == turn)
        if not utterance.is_fact:
            labels[rows] = 0
        elif len(rows) <= utterance.facts:
            labels[rows] = 1
        elif utterance.statements:
            said = [table.candidates[row].piece.alone for row in rows]
            scores = [max(likeness(one, other) for other in utterance.statements) for one in said]
            best = np.argsort(scores)[::-1][: utterance.facts]
            labels[rows] = 0
            labels[rows[best]] = 1
    return labels


class Fit:
    """A fitted classifier over the chosen part of what is seen."""

    def __init__(self, part: str, strength: float) -> None:
        self.part = part
        self.model = LogisticRegression(C=strength, max_iter=2000)
        self.names: list[str] = []

    def rows(self, table: Table, which: np.ndarray) -> csr_matrix:
        places = {name: place for place, name in enumerate(self.names)}
        seen = [[places[name] for name in table.named[row] if name in places] for row in which]
        starts = np.cumsum([0, *(len(each) for each in seen)])
        columns = np.array([place for each in seen for place in each], dtype=int)
        values = np.ones(len(columns))
        named = csr_matrix((values, columns, starts), shape=(len(which), len(places)))
        if self.part == "named":
            return named
        return hstack([named, SCALE * table.embedding[which]]).tocsr()

    def fit(self, table: Table, which: np.ndarray, labels: np.ndarray) -> None:
        """Fit, and give turns whose facts are not known to be which candidates their likeliest."""
        if self.part != "embedding":
            counts = Counter(name for row in which for name in table.named[row])
            self.names = sorted(name for name, count in counts.items() if count >= LEAST)
        labels = labels.copy()
        for _ in range(ROUNDS):
            known = which[labels[which] >= 0]
            self.model.fit(self.rows(table, known), labels[known])
            self.guess(table, which, labels)

    def guess(self, table: Table, which: np.ndarray, labels: np.ndarray) -> None:
        """Label, in place, the candidates of turns whose facts are not known to be which."""
        unknown = set(table.turns[which[labels[which] < 0]].tolist())
        for turn in unknown:
            rows = which[table.turns[which] == turn]
            best = np.argsort(self.chances(table, rows))[::-1]
            labels[rows] = 0
            labels[rows[best[: table.utterances[turn].facts]]] = 1

    def chances(self, table: Table, which: np.ndarray) -> np.ndarray:
        return self.model.predict_proba(self.rows(table, which))[:, 1]

    def weights(self, size: int) -> Weights:
        found = self.model.coef_[0]
        split = len(self.names)
        named = dict(zip(self.names, found[:split].tolist(), strict=True))
        embedding = SCALE * found[split:] if self.part != "named" else np.zeros(size)
        return Weights(named, embedding, float(self.model.intercept_[0]))


def choose(table: Table) -> None:
    """Precision and recall over turns of families left out, for each part and strength."""
    labels = first_labels(table)
    families = np.array([utterance.family for utterance in table.utterances])[table.turns]
    wanted = np.array([utterance.is_fact for utterance in table.utterances])
    for part in PARTS:
        for strength in STRENGTHS:
            chance = np.zeros(len(table.turns))
            for learned, rest in GroupKFold(FOLDS).split(table.turns, groups=families):
                fitted = Fit(part, strength)
                fitted.fit(table, learned, labels)
                chance[rest] = fitted.chances(table, rest)
            best = np.zeros(len(table.utterances))
            np.maximum.at(best, table.turns, chance)
            shown = []
            for threshold in (0.4, 0.5, 0.6, 0.7):
                found = best >= threshold
                right = (found & wanted).sum()
                shown.append(
                    f"{threshold}: {right / max(found.sum(), 1):.3f}/{right / wanted.sum():.3f}"
                )
            print(f"{part:10s} C={strength:<5} precision/recall at {'  '.join(shown)}", flush=True)


def train_reader(table: Table, fitted: Fit, seed: int = 0) -> None:
    """The sentence encoder, adapted to tell the candidates that are facts."""
    labels = first_labels(table)
    fitted.guess(table, np.arange(len(labels)), labels)
    pairs = [
        Pair(candidate.text, candidate.asked, int(label), "")
        for candidate, label in zip(table.candidates, labels, strict=True)
    ]
    scorer, model = trainable_scorer(seed, RANK)
    train(scorer, model, pairs, epochs=EPOCHS, lr=READER_LR, seed=seed)
    save_pair_scorer(READER, scorer, model)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="?", choices=("fit", "choose", "reader"), default="fit")
    parser.add_argument("--part", choices=PARTS, default="both")
    parser.add_argument("--strength", type=float, default=0.2)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--all", action="store_true", help="fit on validation utterances too")
    given = parser.parse_args()
    table = read_table([*TUNING, VALIDATION] if given.all else TUNING)
    if given.what == "choose":
        choose(table)
        return
    fitted = Fit(given.part, given.strength)
    fitted.fit(table, np.arange(len(table.turns)), first_labels(table))
    if given.what == "reader":
        train_reader(table, fitted)
        return
    save_weights(fitted.weights(table.embedding.shape[1]), given.out)
    print(f"{len(table.utterances)} utterances, {len(fitted.names)} features → {given.out}")


if __name__ == "__main__":
    main()
