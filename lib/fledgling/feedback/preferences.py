"""Preferences into an adapter: TRL's DPO over pairs of a better and a worse reply (Rafailov et al.,
2023), or its KTO over single replies known to be good or bad (Ethayarajh et al., 2024).

What was wrong is used, not thrown away. ``teach`` is the whole of a training: examples first, then
preferences, from the adapter that the examples made.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from fledgling.core.errors import DataError
from fledgling.core.files import read_json, write_json
from fledgling.core.records import StepRecord
from fledgling.feedback.examples import check_messages, encode, fingerprint
from fledgling.feedback.pairs import encode_pair
from fledgling.feedback.preference_trainers import dpo, kto
from fledgling.feedback.progress import RECORD, finished
from fledgling.feedback.rows import TrainingRows
from fledgling.feedback.settings import PreferencesSection, TrainingSection
from fledgling.feedback.trainer import run_training, shape_of, train
from fledgling.models.loading import LoadedModel


def train_preferences(
    loaded: LoadedModel,
    rows: TrainingRows,
    training: TrainingSection,
    preferences: PreferencesSection,
    *,
    folder: Path,
    seed: int = 0,
    start: Path | None = None,
) -> Iterator[StepRecord]:
    """Train an adapter on pairs (and, by KTO, on replies that were only bad) and write it to
    ``folder``. Records, resuming and errors are those of ``trainer.train``.
    """
    section = training.model_copy(update={"lr": preferences.lr, "epochs": preferences.epochs})
    pairs = [encode_pair(loaded.tokenizer, pair, section.max_tokens) for pair in rows.pairs]
    pairs = [pair for pair in pairs if pair is not None]
    bad = rows.bad if preferences.loss == "kto" else ()
    for example in bad:
        check_messages(example.messages)
    if not pairs:
        raise DataError(
            f"none of {len(rows.pairs)} pairs leaves room for its replies within"
            f" feedback.training.max_tokens {section.max_tokens}; preferences need at least one"
        )
    mark = fingerprint([*rows.pairs, *bad], section, preferences, seed, start, shape_of(loaded))
    build = partial(dpo, pairs=pairs, section=section, preferences=preferences, seed=seed)
    if preferences.loss == "kto":
        replies = [encode(loaded.tokenizer, example, section.max_tokens) for example in bad]
        build = partial(kto, bad=replies, **build.keywords)
    about = {"pairs": len(pairs), "bad": len(bad), "left_out": len(rows.pairs) - len(pairs)}
    yield from run_training(
        loaded, section, build, folder=folder, seed=seed, start=start, mark=mark, about=about
    )


def teach(
    loaded: LoadedModel,
    rows: TrainingRows,
    training: TrainingSection,
    preferences: PreferencesSection,
    *,
    folder: Path,
    seed: int = 0,
    start: Path | None = None,
) -> Iterator[StepRecord]:
    """One adapter from all that there is: examples by imitation, then pairs by preference. Records
    carry the phase, ``examples`` or ``preferences``, in ``name``.

    Only ``folder`` is left behind. Raises ``DataError`` when there is nothing to learn.
    """
    if not rows.examples and not rows.pairs:
        raise DataError("there is nothing to train on: neither a liked reply nor a correction")
    whole = fingerprint(
        [*rows.examples, *rows.pairs, *rows.bad],
        training,
        preferences,
        seed,
        start,
        shape_of(loaded),
    )
    before = finished(folder, whole)
    if before is not None:
        yield StepRecord(before["updates"], "done", str(folder), {**before, "resumed": True})
        return
    first = folder.parent / f".{folder.name}.examples"
    second = folder.parent / f".{folder.name}.preferences"
    made = start
    if rows.examples:
        steps = train(loaded, rows.examples, training, folder=first, seed=seed, start=start)
        yield from (replace(record, name="examples") for record in steps)
        made = first
    if rows.pairs:
        steps = train_preferences(
            loaded, rows, training, preferences, folder=second, seed=seed, start=made
        )
        yield from (replace(record, name="preferences") for record in steps)
        made = second
    record = {**read_json(made / RECORD), "whole": whole}
    write_json(made / RECORD, record)
    made.rename(folder)
    shutil.rmtree(first, ignore_errors=True)
    yield StepRecord(record["updates"], "done", str(folder), record)
