"""Supervised training of an adapter by TRL's ``SFTTrainer``, one micro-batch at a time.

``train`` is a generator: between two records nothing runs, so whoever serves replies from the same
machine goes first by not asking for the next record. The weights of the base are shared, never
touched; the adapter in training hangs on modules of its own (``models.twins``), so the old one
serves until the new folder is whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from fledgling.core.errors import DataError
from fledgling.core.files import write_json
from fledgling.core.records import StepRecord
from fledgling.feedback.examples import (
    IGNORED,
    ChatExample,
    TokenRow,
    check_messages,
    encode,
    fingerprint,
)
from fledgling.feedback.progress import RECORD, begin, claimed, finished, newest_checkpoint
from fledgling.feedback.settings import TrainingSection
from fledgling.feedback.stepping import Emit, stepwise
from fledgling.models.adapters import Adapter
from fledgling.models.loading import LoadedModel
from fledgling.models.peft_folders import restore_peft, write_peft
from fledgling.models.twins import twin

if TYPE_CHECKING:
    from transformers import Trainer

Build = Callable[[Adapter, Path], "Trainer"]


def train(
    loaded: LoadedModel,
    examples: Sequence[ChatExample],
    section: TrainingSection,
    *,
    folder: Path,
    seed: int = 0,
    start: Path | None = None,
) -> Iterator[StepRecord]:
    """Train an adapter on the last reply of each example and write it to ``folder``, a PEFT folder.

    Yields ``start`` (examples, tokens, updates), then a ``batch`` after every micro-batch (loss,
    tokens, seconds) and an ``update`` after every optimiser step (loss in nats a token, lr,
    tokens_per_second, peak_memory_mb), and ``done``. Stop asking, and training stands still; close
    the generator or kill the process, and the same call goes on from the last checkpoint. A folder
    that the same call has made already is left as it is.

    ``start`` is the PEFT folder of an earlier adapter of the same shape, to go on from. Raises
    ``DataError`` for examples that cannot be learned, ``RunError`` while another trainer makes the
    same folder, ``ModelError`` where it cannot be written or comes from another training.
    """
    for example in examples:
        check_messages(example.messages)
    rows = [encode(loaded.tokenizer, example, section.max_tokens) for example in examples]
    rows = [row for row in rows if row is not None and row.weight > 0]
    if not rows:
        raise DataError(
            f"none of the {len(examples)} examples leaves room for a reply within"
            f" feedback.training.max_tokens {section.max_tokens}; give at least one that does"
        )
    mark = fingerprint(examples, section, seed, start, shape_of(loaded))
    about = {"examples": len(rows), "left_out": len(examples) - len(rows)}
    build = partial(_supervised, rows=rows, section=section, seed=seed)
    yield from run_training(
        loaded, section, build, folder=folder, seed=seed, start=start, mark=mark, about=about
    )


def run_training(
    loaded: LoadedModel,
    section: TrainingSection,
    build: Build,
    *,
    folder: Path,
    seed: int,
    start: Path | None,
    mark: str,
    about: Mapping[str, Any],
) -> Iterator[StepRecord]:
    """The frame around a TRL trainer: lock, resume, step, publish. ``build(adapter, progress)``
    makes the trainer.
    """
    from fledgling.feedback.trl_parts import quieten_trainers

    with claimed(folder) as progress:
        before = finished(folder, mark)
        if before is not None:
            shutil.rmtree(progress, ignore_errors=True)
            yield StepRecord(before["updates"], "done", str(folder), {**before, "resumed": True})
            return
        begin(progress, mark)
        quieten_trainers()
        adapter = Adapter(twin(loaded), section.lora, seed)
        if start is not None:
            restore_peft(adapter, start)
        last: StepRecord | None = None
        for record in stepwise(partial(_fit, adapter, build, progress, section, dict(about))):
            last = record if record.event == "update" else last
            yield record
        record = {"fingerprint": mark, **about, **_summary(last)}
        _publish(adapter, folder, record)
        shutil.rmtree(progress, ignore_errors=True)
        yield StepRecord(record["updates"], "done", str(folder), record)


def _fit(
    adapter: Adapter,
    build: Build,
    progress: Path,
    section: TrainingSection,
    about: dict[str, Any],
    emit: Emit,
) -> None:
    trainer = build(adapter, progress)
    trainer.watch(emit, section.checkpoint_seconds)
    checkpoint = newest_checkpoint(progress)
    emit(StepRecord(0, "start", "", {**about, "resumed": checkpoint is not None}))
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    adapter.peft.eval()


def _summary(last: StepRecord | None) -> dict[str, Any]:
    if last is None:
        return {"updates": 0}
    kept = ("loss", "tokens", "seconds", "tokens_per_second", "peak_memory_mb")
    return {"updates": last.step, **{name: last.values[name] for name in kept}}


def _publish(adapter: Adapter, folder: Path, record: dict[str, Any]) -> None:
    """Adapter and record together, under a name that nobody reads, then renamed at once."""
    hidden = folder.parent / f".{folder.name}.whole"
    shutil.rmtree(hidden, ignore_errors=True)
    try:
        write_peft(adapter, hidden)
        write_json(hidden / RECORD, record)
        hidden.rename(folder)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def shape_of(loaded: LoadedModel) -> tuple[object, ...]:
    """What tells one base from another without reading its weights."""
    config = loaded.model.config
    return (
        config.model_type,
        config.num_hidden_layers,
        config.hidden_size,
        config.vocab_size,
        str(loaded.model.dtype),
    )


def _supervised(
    adapter: Adapter, progress: Path, *, rows: list[TokenRow], section: TrainingSection, seed: int
) -> Trainer:
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from fledgling.feedback.trl_parts import Reporting, common_arguments

    class Supervised(Reporting, SFTTrainer):
        """SFT with a weight for every example, and logits only where there is something to
        learn.
        """

        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
            return weighted_loss(model, inputs, num_items_in_batch)

    device, dtype = adapter.loaded.device, adapter.loaded.model.dtype
    arguments = SFTConfig(
        **common_arguments(section, progress, device, dtype, seed),
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
    )
    data = Dataset.from_list(
        [{"input_ids": row.ids, "labels": row.labels, "weight": row.weight} for row in rows]
    )
    return Supervised(
        model=adapter.peft,
        args=arguments,
        train_dataset=data,
        processing_class=adapter.loaded.tokenizer,
        data_collator=partial(collate, pad=adapter.loaded.tokenizer.pad_token_id),
    )


def collate(rows: Sequence[Mapping[str, Any]], *, pad: int) -> dict[str, Tensor]:
    """Rows → ``input_ids``, ``attention_mask``, ``labels`` (B, T), padded on the right, and
    ``weight`` (B,).
    """
    width = max(len(row["input_ids"]) for row in rows)
    gaps = [width - len(row["input_ids"]) for row in rows]
    pairs = list(zip(rows, gaps, strict=True))
    return {
        "input_ids": torch.tensor([row["input_ids"] + [pad] * gap for row, gap in pairs]),
        "attention_mask": torch.tensor(
            [[1] * len(row["input_ids"]) + [0] * gap for row, gap in pairs]
        ),
        "labels": torch.tensor([row["labels"] + [IGNORED] * gap for row, gap in pairs]),
        "weight": torch.tensor([float(row["weight"]) for row in rows]),
    }


def weighted_loss(
    model: torch.nn.Module, inputs: Mapping[str, Tensor], count: Tensor | int | None
) -> Tensor:
    """Σ weight·nll over the labelled tokens ÷ ``count`` (the labelled tokens of the whole update;
    None: of this batch). The head runs at labelled positions only.
    """
    labels = inputs["labels"][:, 1:]  # (B, T-1), position t predicts labels[t]
    chosen = labels != IGNORED
    decoder, head = _decoder_and_head(model)
    hidden = decoder(
        input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], use_cache=False
    ).last_hidden_state[:, :-1]  # (B, T-1, D)
    logits = head(hidden[chosen]).float()  # (N, V)
    nll = cross_entropy(logits, labels[chosen], reduction="none")  # (N,)
    weights = inputs["weight"][:, None].expand_as(labels)[chosen]
    return (nll * weights).sum() / (chosen.sum() if count is None else count)


def _decoder_and_head(model: torch.nn.Module) -> tuple[torch.nn.Module, torch.nn.Module]:
    """The transformer below the head, and the head, of a model inside its PEFT wrapper."""
    causal = model.get_base_model()
    return causal.base_model, causal.get_output_embeddings()
