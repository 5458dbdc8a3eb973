"""Preferences into an adapter: TRL's DPO over pairs of a better and a worse reply (Rafailov et al.,
2023), or its KTO over single replies known to be good or bad (Ethayarajh et al., 2024).

What was wrong is used, not thrown away. ``teach`` is the whole of a training: examples first, then
preferences, from the adapter that the examples made.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from fledgling.core.errors import DataError
from fledgling.core.files import read_json, write_json
from fledgling.core.records import StepRecord
from fledgling.feedback.examples import (
    ChatExample,
    PreferencePair,
    check_messages,
    encode,
    fingerprint,
)
from fledgling.feedback.progress import RECORD, finished
from fledgling.feedback.rows import TrainingRows
from fledgling.feedback.settings import PreferencesSection, TrainingSection
from fledgling.feedback.trainer import run_training, shape_of, train
from fledgling.models.adapters import Adapter
from fledgling.models.loading import LoadedModel

if TYPE_CHECKING:
    from transformers import Trainer


@dataclass(frozen=True)
class PairRow:
    """A pair as tokens: the prompt, and both replies with their end-of-sequence."""

    prompt: list[int]
    chosen: list[int]
    rejected: list[int]


@dataclass(frozen=True)
class PairScore:
    """How likely a model finds both replies: sums of log-probabilities in nats, and tokens."""

    chosen: float
    rejected: float
    chosen_tokens: int
    rejected_tokens: int

    @property
    def prefers_chosen(self) -> bool:
        """By the mean log-probability of a token, so that a short reply has no advantage."""
        return self.chosen / self.chosen_tokens > self.rejected / self.rejected_tokens


def encode_pair(tokenizer: Any, pair: PreferencePair, max_tokens: int) -> PairRow | None:
    """A pair as tokens, the prompt cut alike for both replies; None where no room is left."""
    rows = [
        encode(
            tokenizer,
            ChatExample((*pair.prompt, {"role": "assistant", "content": reply})),
            max_tokens,
        )
        for reply in (pair.chosen, pair.rejected)
    ]
    if None in rows:
        return None
    starts = [sum(label < 0 for label in row.labels) for row in rows]
    prompt = min(starts)  # the longer reply may have cost the prompt a turn
    shortest = rows[starts.index(prompt)]
    chosen, rejected = (row.ids[start:] for row, start in zip(rows, starts, strict=True))
    return PairRow(shortest.ids[:prompt], chosen, rejected)


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
    build = partial(
        _dpo if preferences.loss == "dpo" else _kto,
        pairs=pairs,
        bad=[encode(loaded.tokenizer, example, section.max_tokens) for example in bad],
        section=section,
        preferences=preferences,
        seed=seed,
    )
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


def _dpo(
    adapter: Adapter,
    progress: Path,
    *,
    pairs: Sequence[PairRow],
    bad: Sequence[Any],
    section: TrainingSection,
    preferences: PreferencesSection,
    seed: int,
) -> Trainer:
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    from fledgling.feedback.trl_parts import Reporting, common_arguments

    class Preferring(Reporting, DPOTrainer):
        """DPO on rows that are tokens already."""

        def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
            return dataset

    device, dtype = adapter.loaded.device, adapter.loaded.model.dtype
    with_imitation = preferences.imitation > 0
    arguments = DPOConfig(
        **common_arguments(section, progress, device, dtype, seed),
        beta=preferences.beta,
        loss_type=["sigmoid", "sft"] if with_imitation else ["sigmoid"],
        loss_weights=[1.0, preferences.imitation] if with_imitation else None,
        max_length=None,
        disable_dropout=False,
    )
    data = Dataset.from_list(
        [
            {"prompt_ids": row.prompt, "chosen_ids": row.chosen, "rejected_ids": row.rejected}
            for row in pairs
        ]
    )
    return Preferring(
        model=adapter.peft,
        args=arguments,
        train_dataset=data,
        processing_class=adapter.loaded.tokenizer,
    )


def _kto(
    adapter: Adapter,
    progress: Path,
    *,
    pairs: Sequence[PairRow],
    bad: Sequence[Any],
    section: TrainingSection,
    preferences: PreferencesSection,
    seed: int,
) -> Trainer:
    from datasets import Dataset
    from trl import KTOConfig, KTOTrainer

    from fledgling.feedback.trl_parts import Reporting, common_arguments

    class Preferring(Reporting, KTOTrainer):
        """KTO on rows that are tokens already."""

        def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
            return dataset

    rows = [(row.prompt, row.chosen, True) for row in pairs]
    rows += [(row.prompt, row.rejected, False) for row in pairs]
    for row in bad:
        begins = sum(label < 0 for label in row.labels) if row else 0
        if row:
            rows.append((row.ids[:begins], row.ids[begins:], False))
    good = sum(label for *_, label in rows)
    # the KL term needs another example's reply under each prompt, so at least two in a batch
    wide = section.model_copy(
        update={
            "batch_size": max(2, section.batch_size),
            "accumulation": max(1, section.accumulation // 2),
        }
    )
    device, dtype = adapter.loaded.device, adapter.loaded.model.dtype
    arguments = KTOConfig(
        **common_arguments(wide, progress, device, dtype, seed),
        beta=preferences.beta,
        desirable_weight=max(1.0, (len(rows) - good) / max(good, 1)),
        undesirable_weight=1.0,
        max_length=None,
        disable_dropout=False,
    )
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed)).tolist()
    rows = [rows[place] for place in order]
    data = Dataset.from_list(
        [
            {
                "prompt_ids": prompt,
                "completion_ids": reply,
                "label": label,
                "KL_completion_ids": other,
            }
            for (prompt, reply, label), other in zip(
                rows, mismatched([reply for _, reply, _ in rows], wide.batch_size), strict=True
            )
        ]
    )
    return Preferring(
        model=adapter.peft,
        args=arguments,
        train_dataset=data,
        processing_class=adapter.loaded.tokenizer,
    )


def mismatched(replies: Sequence[list[int]], size: int) -> list[list[int]]:
    """Within each batch of ``size``, the replies moved on by one.

    >>> mismatched([[1], [2], [3], [4], [5]], 2)
    [[2], [1], [4], [3], [5]]
    """
    batches = [list(replies[start : start + size]) for start in range(0, len(replies), size)]
    return [reply for batch in batches for reply in [batch[-1], *batch[:-1]]]


@torch.no_grad()
def score_pairs(
    model: torch.nn.Module, tokenizer: Any, pairs: Sequence[PreferencePair], *, max_tokens: int
) -> list[PairScore]:
    """How likely a causal model finds both replies of each pair; the model is run as it is, with
    whatever adapter acts. Pairs that leave no room are scored as ties.
    """
    scores = []
    for pair in pairs:
        row = encode_pair(tokenizer, pair, max_tokens)
        if row is None:
            scores.append(PairScore(0.0, 0.0, 1, 1))
            continue
        chosen, rejected = (
            _log_probability(model, row.prompt, reply) for reply in (row.chosen, row.rejected)
        )
        scores.append(PairScore(chosen, rejected, len(row.chosen), len(row.rejected)))
    return scores


def _log_probability(model: torch.nn.Module, prompt: list[int], reply: list[int]) -> float:
    ids = torch.tensor([prompt + reply], device=next(model.parameters()).device)
    logits = model(input_ids=ids, logits_to_keep=len(reply) + 1).logits[0, :-1].float()  # (T, V)
    targets = ids[0, len(prompt) :]
    return float(logits.log_softmax(-1).gather(1, targets[:, None]).sum())
