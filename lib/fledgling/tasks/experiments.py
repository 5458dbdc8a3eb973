"""The comparisons of notebook 03: together and alone, strategies, remedies, sample efficiency,
shared gradients.

Each is a generator of epoch records whose ``name`` tells the run; figures and metrics are made from
the records.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from fledgling.core.records import StepRecord
from fledgling.models.loading import LoadedModel
from fledgling.tasks.building import build_graph_model, build_llm_model
from fledgling.tasks.data.examples import TaskSplits
from fledgling.tasks.data.sets import load_tasks, thinned
from fledgling.tasks.language_model import LlmBackbone
from fledgling.tasks.model import MultitaskModel, Parts, prepare_tasks
from fledgling.tasks.settings import TasksSection
from fledgling.tasks.trainer import MultitaskTrainer


@dataclass(frozen=True)
class Setting:
    """The tasks of one seed, prepared once, and how to train on them. Graph backbone."""

    tasks: dict[str, TaskSplits]
    parts: Parts
    section: TasksSection
    seed: int
    device: torch.device

    def model(self) -> MultitaskModel:
        """A fresh model; always the same for one seed."""
        return build_graph_model(self.tasks, self.section.graph, seed=self.seed, device=self.device)

    def trainer(
        self,
        *,
        strategy: str = "alternating",
        remedy: str = "none",
        balancing: str = "fixed",
        model: MultitaskModel | None = None,
    ) -> MultitaskTrainer:
        """A trainer with another strategy, remedy or balancing than the configuration's."""
        section = self.section.model_copy(
            update={"strategy": strategy, "remedy": remedy, "balancing": balancing}
        )
        return MultitaskTrainer(model or self.model(), self.parts, section, seed=self.seed)

    def shortened(self, epochs: int) -> Setting:
        """The same setting with a budget of ``epochs`` epochs."""
        return replace(self, section=self.section.model_copy(update={"epochs": epochs}))

    def only(self, task: str) -> Setting:
        """The same setting with one task alone: the same examples, updates and first weights of the
        backbone.
        """
        return replace(self, tasks={task: self.tasks[task]}, parts={task: self.parts[task]})


def prepare_llm(
    section: TasksSection, loaded: LoadedModel, *, seed: int
) -> tuple[MultitaskTrainer, dict[str, TaskSplits]]:
    """The same trainer on the language model, with the smaller sizes of ``multitask.llm``, and its
    tasks.
    """
    small = section.llm
    data = section.data.model_copy(
        update={
            "train_per_skill": small.train_per_skill,
            "held_out_per_skill": small.held_out_per_skill,
        }
    )
    section = section.model_copy(
        update={
            "backbone": "llm",
            "data": data,
            "epochs": small.epochs,
            "updates_per_epoch": small.updates_per_epoch,
            "batch_size": small.batch_size,
            "lr": small.lr,
            "matrix_lr": 0.0,
        }
    )
    tasks = load_tasks(data, seed=seed)
    model = build_llm_model(tasks, LlmBackbone(loaded, small.adapter, seed=seed), seed=seed)
    return MultitaskTrainer(model, prepare_tasks(model.backbone, tasks), section, seed=seed), tasks


def prepare_setting(
    section: TasksSection, *, seed: int, device: torch.device | None = None
) -> Setting:
    """Load the tasks of ``seed`` and turn them into graphs."""
    device = device or torch.device("cpu")
    tasks = load_tasks(section.data, seed=seed)
    model = build_graph_model(tasks, section.graph, seed=seed, device=device)
    return Setting(tasks, prepare_tasks(model.backbone, tasks), section, seed, device)


def alone(setting: Setting, watch: str = "test") -> Iterator[StepRecord]:
    """Every task by itself with the updates it gets in the multi-task run; runs are named
    ``alone.<task>``.
    """
    for task in setting.tasks:
        for record in setting.only(task).trainer().train(watch):
            yield _named(record, f"alone.{task}", setting.seed)


def together(
    setting: Setting, *, strategy: str, balancing: str = "fixed", watch: str = "test"
) -> Iterator[StepRecord]:
    """One run of all tasks, named after strategy and balancing."""
    name = strategy if balancing == "fixed" else f"{strategy}.{balancing}"
    for record in setting.trainer(strategy=strategy, balancing=balancing).train(watch):
        yield _named(record, name, setting.seed)


def remedies(setting: Setting, names: Sequence[str], watch: str = "test") -> Iterator[StepRecord]:
    """The tasks one after the other with each remedy; the first phase, the same for all, is trained
    once.

    Runs are named ``sequential.<remedy>``; each has the records of the first phase too.
    """
    trainer = setting.trainer(strategy="sequential")
    first = list(trainer.train(watch, phases=1))
    for name in names:
        for record in first:
            yield _named(record, f"sequential.{name}", setting.seed)
        later = setting.trainer(
            strategy="sequential", remedy=name, model=copy.deepcopy(trainer.model)
        )
        later.updates_done, later.examples_seen = trainer.updates_done, trainer.examples_seen
        for record in later.train(watch, first_phase=1):
            yield _named(record, f"sequential.{name}", setting.seed)


def sample_efficiency(
    setting: Setting, shares: Sequence[float], watch: str = "test"
) -> Iterator[StepRecord]:
    """Together and alone on random shares of the training examples, the number of updates
    unchanged.

    Only the last record of each run, named ``together`` or ``alone.<task>``, with the ``share`` it
    had.
    """
    for share in shares:
        tasks = thinned(setting.tasks, share, seed=setting.seed)
        small = replace(setting, tasks=tasks, parts=prepare_tasks(setting.model().backbone, tasks))
        runs = {"together": small, **{f"alone.{task}": small.only(task) for task in tasks}}
        for name, one in runs.items():
            last = list(one.trainer().train(watch))[-1]
            sizes = {task: len(splits.train) for task, splits in one.tasks.items()}
            values = last.values | {"share": share, "train_examples": sizes, "seed": setting.seed}
            yield StepRecord(last.step, "efficiency", name, values)


def mistakes(trainer: MultitaskTrainer, part: str = "test") -> list[dict[str, str]]:
    """The wrong answers on one split, task after task: text, skill, level, right and given
    answer.
    """
    rows = []
    for task, result in trainer.evaluate(part).items():
        classes = trainer.model.classes[task]
        rows += [
            {
                "task": task,
                "skill": one.skill,
                "level": str(one.level),
                "text": one.text,
                "right": one.answer,
                "given": classes[given],
            }
            for one, given, correct in zip(
                trainer.parts[task][part].examples, result.answers, result.correct, strict=True
            )
            if not correct
        ]
    return rows


def shared_gradients(trainer: MultitaskTrainer) -> dict[str, dict[str, float]]:
    """Shared parameter → task → norm of the task's gradient there; above 0 everywhere where all is
    truly shared.
    """
    shared = trainer.model.shared_parameters()
    flat = trainer.task_gradients()
    sizes = [parameter.numel() for parameter in shared.values()]
    norms: dict[str, dict[str, float]] = {name: {} for name in shared}
    for task, gradient in flat.items():
        for name, piece in zip(shared, gradient.split(sizes), strict=True):
            norms[name][task] = float(piece.norm())
    return norms


def histories(records: Sequence[StepRecord], name: str) -> dict[str, list[float]]:
    """Task → accuracy over time of the run ``name``, from the epochs in which its head existed."""
    accuracies: dict[str, list[float]] = {}
    for record in records:
        if record.name == name:
            for task, accuracy in record.values["accuracy"].items():
                accuracies.setdefault(task, []).append(accuracy)
    return accuracies


def seconds_until(records: Sequence[StepRecord], accuracy: float) -> float | None:
    """Seconds of the run until every task had reached ``accuracy``, evaluation included; None where
    one never did.
    """
    return next(
        (
            record.values["seconds"]
            for record in records
            if _all_reached(record.values["accuracy"], accuracy)
        ),
        None,
    )


def _all_reached(accuracies: Mapping[str, float], accuracy: float) -> bool:
    return all(value >= accuracy for value in accuracies.values())


def _named(record: StepRecord, name: str, seed: int) -> StepRecord:
    return StepRecord(record.step, record.event, name, record.values | {"seed": seed})
