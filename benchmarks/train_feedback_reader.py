"""Train the two readers of the judge of feedback, and fit the judge again with them:

    python benchmarks/train_feedback_reader.py

Both are the packaged sentence encoder, adapted to read a question with its reply beside what the
user said next. One tells the four labels (data/feedback/reader.safetensors), the other where in a
correction the right answer stands (span_reader.safetensors). The judge weighs what they say among
everything else that it sees, so it is fitted on what readers say of dialogues that they have not
seen: three of each, trained without a third of the dialogues, then one trained on all. Only
training data is read. About an hour on one core.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import typer
from feedback import fit_and_report, training_dialogues
from torch.nn.functional import cross_entropy
from train_gate import trainable_scorer

from fledgling.core.runtime import start
from fledgling.feedback.judging.classifier import folds_of
from fledgling.feedback.judging.dialogues import (
    LABELS,
    TRAIN,
    Labelled,
    read_corrections,
    read_exchanges,
)
from fledgling.feedback.judging.judge import READER, pair_of, turn_of
from fledgling.feedback.judging.signals import Exchange
from fledgling.feedback.judging.span_reader import (
    SPAN_READER,
    Reading,
    read_spans,
    token_logits,
)
from fledgling.models.pair_scorer import PairScorer, save_pair_scorer

EPOCHS, SPAN_EPOCHS, LR, RANK, BATCH, FOLDS = 4, 6, 5e-4, 16, 32, 3
SAMPLED = 0.5  # share of the single corrections: they would make every turn look like one
Pair = tuple[str, str]
Loss = Callable[[PairScorer, Sequence[tuple[Pair, Any]]], torch.Tensor]
Trained = tuple[PairScorer, torch.nn.Module]


def main() -> None:
    start(seed=0)
    labelled = training_dialogues() + read_exchanges()
    single = read_corrections(TRAIN)
    corrections = [one for one in [*labelled, *single] if one.answers]
    spans = unseen_spans(corrections, labelled)
    save_pair_scorer(SPAN_READER, *trained_to_find(corrections))
    sampled = random.Random(0).sample(single, int(SAMPLED * len(single)))
    readings = unseen_readings(labelled, sampled)
    save_pair_scorer(READER, *trained_to_tell([*labelled, *sampled]))
    fit_and_report(readings, spans).save()


def parts_of(labelled: Sequence[Labelled]) -> np.ndarray:
    """(N,) which third each is in, whole dialogues together."""
    fold = folds_of([one.dialogue for one in labelled], FOLDS, np.random.default_rng(1))
    return np.where(fold < 0, np.arange(len(fold)) % FOLDS, fold)


def unseen_readings(labelled: Sequence[Labelled], more: Sequence[Labelled]) -> np.ndarray:
    """(N, 4): what readers that have not seen a dialogue say of its turns."""
    parts = parts_of(labelled)
    readings = np.zeros((len(labelled), len(LABELS)))
    for part in range(FOLDS):
        inside = [one for one, place in zip(labelled, parts, strict=True) if place != part]
        scorer, _ = trained_to_tell([*inside, *more])
        chosen = np.flatnonzero(parts == part)
        readings[chosen] = scorer.shares([pair_of(labelled[place].exchange) for place in chosen])
        right = readings[chosen].argmax(1) == [LABELS.index(labelled[one].label) for one in chosen]
        print(f"labels, part {part}: {right.mean():.3f} of {len(chosen)} right", flush=True)
    return readings


def unseen_spans(
    corrections: Sequence[Labelled], labelled: Sequence[Labelled]
) -> dict[Exchange, Reading]:
    """What readers that have not seen a dialogue make of its turns, corrections or not."""
    parts, found = parts_of(corrections), {}
    dialogues = {one.dialogue: part for one, part in zip(corrections, parts, strict=True)}
    rest = [one for one in labelled if not one.answers]
    for part in range(FOLDS):
        inside = [one for one, place in zip(corrections, parts, strict=True) if place != part]
        scorer, _ = trained_to_find(inside)
        own = [one for one, place in zip(corrections, parts, strict=True) if place == part]
        own += [one for one in rest if dialogues.get(one.dialogue, 0) == part]
        exchanges = [one.exchange for one in own]
        found |= dict(
            zip(exchanges, read_spans(scorer, list(map(turn_of, exchanges))), strict=True)
        )
        print(f"answers, part {part}: read {len(own)}", flush=True)
    return found


def trained_to_tell(labelled: Sequence[Labelled]) -> Trained:
    """A reader of the four labels."""
    rows = [(pair_of(one.exchange), LABELS.index(one.label)) for one in labelled]

    def loss(scorer: PairScorer, batch: Sequence[tuple[Pair, int]]) -> torch.Tensor:
        logits = scorer.logits([pair for pair, _ in batch])
        return cross_entropy(logits, torch.tensor([label for _, label in batch]))

    return trained(rows, len(LABELS), loss, EPOCHS)


def trained_to_find(corrections: Sequence[Labelled]) -> Trained:
    """A reader of where the answer begins and ends."""
    rows = []
    for one in corrections:
        pair = turn_of(one.exchange)
        places = [pair[1].lower().find(answer.lower()) for answer in one.answers]
        found = [(at, answer) for at, answer in zip(places, one.answers, strict=True) if at >= 0]
        if found:
            at, answer = found[0]
            rows.append((pair, (at, at + len(answer))))

    def loss(scorer: PairScorer, batch: Sequence[tuple[Pair, tuple[int, int]]]) -> torch.Tensor:
        logits, places = token_logits(scorer, [pair for pair, _ in batch])
        # A turn longer than the window may have lost its answer: then nothing is learned of it.
        total, chances = torch.zeros(()), torch.log_softmax(logits, dim=1)
        for one, where, (_, (first, last)) in zip(chances, places, batch, strict=True):
            inside = torch.isfinite(one[:, 0]).nonzero().flatten()
            begins = inside[where[inside, 1] > first]
            ends = inside[where[inside, 0] < last]
            if len(begins) and len(ends):
                total = total - one[begins[0], 0] - one[ends[-1], 1]
        return total / len(batch)

    return trained(rows, 2, loss, SPAN_EPOCHS)


def trained(rows: Sequence[tuple[Pair, Any]], classes: int, loss_of: Loss, epochs: int) -> Trained:
    """AdamW with one cycle over minibatches of pairs of similar length."""
    scorer, model = trainable_scorer(0, RANK, classes)
    parameters = [*(p for p in model.parameters() if p.requires_grad), *scorer.head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=LR, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LR, total_steps=epochs * -(-len(rows) // BATCH), pct_start=0.1
    )
    rng = random.Random(0)
    model.train()
    for epoch in range(epochs):
        shuffled = sorted(rows, key=lambda row: len(row[0][0] + row[0][1]) + 40 * rng.random())
        batches = [shuffled[at : at + BATCH] for at in range(0, len(rows), BATCH)]
        seen = []
        for batch in rng.sample(batches, len(batches)):
            loss = loss_of(scorer, batch)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            schedule.step()
            seen.append(loss.item())
        print(f"  epoch {epoch + 1}: loss {np.mean(seen):.3f}", flush=True)
    model.eval()
    return scorer, model


if __name__ == "__main__":
    typer.run(main)
