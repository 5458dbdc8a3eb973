"""The local fine-tune: an adapter from conversations, one optimizer step at a time."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_

from fledgling.auto_learning.chat import ChatExample
from fledgling.auto_learning.settings import TrainingSection
from fledgling.core.errors import DataError
from fledgling.core.records import Example, StepRecord
from fledgling.models.adapters import Adapter
from fledgling.models.loading import LoadedModel
from fledgling.models.rows import AdaptedModel, Rows

log = logging.getLogger(__name__)


def train(
    loaded: LoadedModel,
    examples: Sequence[ChatExample],
    section: TrainingSection,
    *,
    folder: Path,
    seed: int,
) -> Iterator[StepRecord]:
    """Train a LoRA adapter on the last replies and write it to ``folder``, in the form that
    ``PeftModel.from_pretrained`` loads. The folder appears whole or not at all; the model is the
    plain base again afterwards. Yields one record a step.

    Raises ``DataError`` for examples that this trainer cannot take: other than one user message
    and one reply, after the same system message for all.
    """
    system = _one_system(examples)
    generator = torch.Generator().manual_seed(seed)
    adapter = Adapter(loaded, section.adapter, seed)
    try:
        adapted = AdaptedModel(adapter, system=system, max_length=loaded.max_length)
        parameters = list(adapter.parameters.values())
        optimizer = torch.optim.AdamW(parameters, lr=section.lr, weight_decay=0.0)
        batches = list(_batches(len(examples), section, generator))
        for number, batch in enumerate(batches):
            started = time.perf_counter()
            for group in optimizer.param_groups:
                group["lr"] = section.lr * (1.0 - number / len(batches))
            rows = adapted.encode([_row(examples[place]) for place in batch])
            loss = _step(adapted, rows, optimizer, section)
            values = {"loss": loss, "seconds": time.perf_counter() - started}
            values["tokens"] = rows.tokens
            yield StepRecord(number, "step", folder.name, values)
        _save(adapter, folder)
    finally:
        adapter.release()


def _step(
    adapted: AdaptedModel, rows: Rows, optimizer: torch.optim.Optimizer, section: TrainingSection
) -> float:
    """One update; a loss that is not finite changes nothing."""
    with adapted.adapter.dropping_out():
        losses = cross_entropy(adapted.logits(rows), rows.targets, reduction="none")
    loss = (losses * rows.target_weights).sum() / rows.target_weights.sum()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    norm = clip_grad_norm_(list(adapted.adapter.parameters.values()), section.clip_norm)
    if torch.isfinite(loss) and torch.isfinite(norm):
        optimizer.step()
    return loss.item()


def _batches(
    count: int, section: TrainingSection, generator: torch.Generator
) -> Iterator[list[int]]:
    """Every example once an epoch, in another order each time."""
    for _ in range(section.epochs):
        order = torch.randperm(count, generator=generator).tolist()
        for start in range(0, count, section.batch_size):
            yield order[start : start + section.batch_size]


def _one_system(examples: Sequence[ChatExample]) -> str | None:
    if not examples:
        raise DataError("there is no example to train on; collect outcomes first")
    systems = {example.system for example in examples}
    if len(systems) > 1:
        raise DataError(
            f"the examples begin with {len(systems)} different system messages; train on those of"
            " one at a time"
        )
    return systems.pop()


def _row(example: ChatExample) -> Example:
    turns = [message for message in example.messages if message["role"] != "system"]
    if len(turns) != 2:
        raise DataError(
            f"an example has {len(turns)} turns; this trainer takes one user message and one reply"
        )
    return Example(turns[0]["content"], turns[1]["content"], "reply", weight=example.weight)


def _save(adapter: Adapter, folder: Path) -> None:
    """Write a PEFT folder beside its place, then rename it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        adapter.peft.save_pretrained(str(temporary), safe_serialization=True)
        temporary.chmod(0o755)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
