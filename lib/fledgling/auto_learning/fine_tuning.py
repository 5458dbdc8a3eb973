"""From examples to a registered model: once on the same data, with its lineage."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from fledgling.auto_learning.chat import write_hosted
from fledgling.auto_learning.clock import stamp
from fledgling.auto_learning.events import tell
from fledgling.auto_learning.readiness import check_ready, conversations, examples
from fledgling.auto_learning.registry import Model, Registry, hash_folder
from fledgling.auto_learning.settings import AutoLearningSection
from fledgling.auto_learning.workspace import Workspace
from fledgling.core.database import transaction
from fledgling.core.errors import DataError
from fledgling.core.records import StepRecord
from fledgling.feedback.examples import ChatExample

# (examples, folder) → records; writes a PEFT adapter to the folder, and the last record, ``done``,
# holds what it took: updates, loss, tokens, seconds, tokens_per_second
Train = Callable[[Sequence[ChatExample], Path], Iterator[StepRecord]]


def export_hosted(workspace: Workspace, section: AutoLearningSection, master: str) -> Path:
    """Write a master's examples as a hosted service's chat file, checked. Returns its path."""
    found = conversations(examples(workspace, section, master), section.hosted.system)
    if not found:
        raise DataError(f"{master} has no example yet; see `fledgling auto status {master}`")
    path = workspace.folder / "hosted" / f"{master}-{_data_hash(found)[:12]}.jsonl"
    write_hosted(path, found, section.hosted, section.readiness)
    return path


def fine_tune(
    workspace: Workspace,
    section: AutoLearningSection,
    master: str,
    train: Train,
    now: datetime,
    *,
    system: str = "",
    only_new: bool = False,
) -> Iterator[StepRecord]:
    """Train on the examples of a master, all or only those never trained on, and register the
    model; the last record, ``trained``, names it. Nothing is registered when the training does not
    come to its end. ``system`` is the master's system message.

    Raises ``DataError`` when there are too few new examples, or when a model was trained on just
    these; ``RunError`` when a training of this master is under way.
    """
    with workspace.only_one(f"training-{master}"):
        check_ready(workspace, section, master)
        found = examples(workspace, section, master, only_new=only_new)
        learned = conversations(found, system)
        data_hash = _data_hash(learned)
        registry = Registry(workspace)
        _refuse_twice(registry, master, data_hash)
        champion = registry.start(master, now)
        name = _next_name(registry, master, now)
        shutil.rmtree(workspace.models / name, ignore_errors=True)  # of a run killed just here
        took: dict[str, float] = {}
        for record in train(learned, workspace.models / name):
            took = dict(record.values)
            yield record
        model = Model(
            id=name,
            master=master,
            parent=champion.id,
            folder=name,
            bytes_hash=hash_folder(workspace.models / name),
            data_hash=data_hash,
            created=stamp(now),
            settings=section.training.model_dump(mode="json"),
            metrics=_training_metrics(took, len(learned)),
        )
        with transaction(workspace.store):
            registry.add(model)
            workspace.store.executemany(
                "INSERT OR IGNORE INTO trained (master, task_id, model) VALUES (?, ?, ?)",
                [(master, task, name) for task in found["task_id"]],
            )
            tell(workspace, now, "trained", master=master, model=name, **model.metrics)
    yield StepRecord(int(took.get("updates", 0)), "trained", name, dict(model.metrics))


def _refuse_twice(registry: Registry, master: str, data_hash: str) -> None:
    for model in registry.models(master):
        if model.data_hash == data_hash:
            raise DataError(f"{model.id} was trained on these very examples; collect more first")


def _data_hash(learned: Sequence[ChatExample]) -> str:
    lines = sorted(json.dumps(list(map(dict, one.messages)), sort_keys=True) for one in learned)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _next_name(registry: Registry, master: str, now: datetime) -> str:
    """The master, the day, and a number within it; a folder left by nobody does not count."""
    day = f"{now:%Y%m%d}"
    taken = [model.id for model in registry.models(master)]
    number = 1
    while f"{master}-ft-{day}-{number:03d}" in taken:
        number += 1
    return f"{master}-ft-{day}-{number:03d}"


def _training_metrics(took: Mapping[str, Any], count: int) -> dict[str, float]:
    names = ("updates", "loss", "tokens_per_second")
    measured = {name: float(took[name]) for name in names if name in took}
    return {"examples": count, "training_seconds": float(took.get("seconds", 0.0)), **measured}
