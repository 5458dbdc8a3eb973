"""Trains one model on several tasks and says how each fares, epoch by epoch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from fledgling.core.errors import ConfigError
from fledgling.core.records import StepRecord
from fledgling.tasks.data.mixing import Epoch, plan, row_batches
from fledgling.tasks.losses import cosine, project_conflicts, uncertainty_weighted
from fledgling.tasks.metrics import accuracy_by
from fledgling.tasks.model import Inputs, MultitaskModel, Parts, TaskPart, answer_logits
from fledgling.tasks.optimizers import Optimizers
from fledgling.tasks.processes import Processes
from fledgling.tasks.remedies import build_remedy
from fledgling.tasks.settings import TasksSection


@dataclass(frozen=True)
class TaskResult:
    """How a task fares on one split; ``correct``, ``losses`` in nats and ``answers`` as class
    numbers are (N,).
    """

    accuracy: float
    loss: float
    correct: np.ndarray
    losses: np.ndarray
    answers: np.ndarray


class MultitaskTrainer:
    """One model, its prepared tasks, and the way to train them. ``train`` yields a record an
    epoch.
    """

    def __init__(
        self,
        model: MultitaskModel,
        parts: Parts,
        section: TasksSection,
        *,
        seed: int = 0,
        processes: Processes | None = None,
    ) -> None:
        self.model, self.parts, self.section, self.seed = model, parts, section, seed
        self.tasks = tuple(parts)
        self.processes = processes or Processes(next(model.parameters()).device)
        _check(section, self.tasks, self.processes.count)
        self.parameters = {name: one for name, one in model.named_parameters() if one.requires_grad}
        self.log_variances = (
            {
                task: torch.nn.Parameter(torch.zeros((), device=self.processes.device))
                for task in self.tasks
            }
            if section.balancing == "uncertainty"
            else {}
        )
        self.remedy = build_remedy(model, parts, section, self.processes, seed)
        self.order = torch.Generator().manual_seed(seed)
        self.updates_done = self.examples_seen = 0
        self.seconds_training = 0.0

    def train(
        self, watch: str = "validation", *, first_phase: int = 0, phases: int | None = None
    ) -> Iterator[StepRecord]:
        """Train by the configured strategy; after each epoch yield losses, accuracies and gradient
        conflict.

        ``watch`` is the split measured on; nothing is chosen by it. Phases before ``first_phase``
        count as done already, and at most ``phases`` are trained, so that runs can share a first
        phase.
        """
        started = time.perf_counter()
        epochs = plan(
            self.section.strategy,
            self.tasks,
            epochs=self.section.epochs,
            updates=self.section.updates_per_epoch,
        )
        last_phase = epochs[-1].phase if phases is None else first_phase + phases - 1
        streams, optimizers = self._streams(epochs), None
        for number, epoch in enumerate(epochs):
            new_phase = number == 0 or epoch.phase != epochs[number - 1].phase
            if new_phase and number and self.remedy is not None:
                self.remedy.finish(epochs[number - 1].tasks)
            if not first_phase <= epoch.phase <= last_phase:
                continue
            if new_phase or optimizers is None:
                optimizers = self._optimizers(epochs, epoch.phase)
            began = time.perf_counter()
            losses = self._train_epoch(epoch, streams, optimizers)
            self.seconds_training += time.perf_counter() - began
            yield self._record(number + 1, epoch, losses, watch, started)

    def _record(
        self, number: int, epoch: Epoch, losses: dict[str, float], watch: str, started: float
    ) -> StepRecord:
        values = self.measure(watch) | {
            "phase": epoch.phase,
            "trained": list(epoch.tasks),
            "train_loss": losses,
        }
        every = self.section.conflict_every
        if every and number % every == 0 and len(self.tasks) > 1:
            values["conflict"] = self.conflict()
        values |= {
            "updates": self.updates_done,
            "examples": self.examples_seen,
            "seconds": time.perf_counter() - started,
            "seconds_training": self.seconds_training,
        }
        return StepRecord(number, "epoch", self.section.strategy, values)

    def evaluate(self, part: str = "test") -> dict[str, TaskResult]:
        """Every task on one split, from its own head."""
        return {
            task: judge_part(self.model, splits[part], task) for task, splits in self.parts.items()
        }

    def measure(self, part: str) -> dict[str, dict]:
        """Loss and accuracy by task, by skill and by level."""
        values: dict[str, dict] = {
            "accuracy": {},
            "loss": {},
            "skills": {},
            "levels": {},
            "skill_losses": {},
            "level_losses": {},
        }
        for task, result in self.evaluate(part).items():
            examples = self.parts[task][part].examples
            skills, levels = [one.skill for one in examples], [str(one.level) for one in examples]
            values["accuracy"][task], values["loss"][task] = result.accuracy, result.loss
            values["skills"][task], values["levels"][task] = (
                accuracy_by(skills, result.correct),
                accuracy_by(levels, result.correct),
            )
            values["skill_losses"][task], values["level_losses"][task] = (
                accuracy_by(skills, result.losses),
                accuracy_by(levels, result.losses),
            )
        return values

    def conflict(self) -> float:
        """Mean cosine between the tasks' gradients on the shared parameters; below 0 they pull
        against each other.
        """
        flat = list(self.task_gradients().values())
        pairs = [(one, two) for one in range(len(flat)) for two in range(one)]
        return float(np.mean([cosine(flat[one], flat[two]) for one, two in pairs]))

    def task_gradients(self) -> dict[str, torch.Tensor]:
        """Each task's flat gradient (P,) on the shared parameters, over a batch spread across its
        training examples.
        """
        shared = list(self.model.shared_parameters().values())
        gradients = {}
        for task, splits in self.parts.items():
            count = len(splits["train"].inputs)
            rows = torch.arange(
                0, count, max(1, count // self.section.batch_size), device=self.processes.device
            )
            loss = self._loss(task, rows, splits["train"].inputs.select(rows), len(rows))
            gradients[task] = _flat(torch.autograd.grad(loss, shared, allow_unused=True), shared)
        return gradients

    def _streams(self, epochs: list[Epoch]) -> dict[str, Iterator[np.ndarray]]:
        together = max(len(update) for epoch in epochs for update in epoch.updates)
        size = max(1, self.section.batch_size // together)
        return {
            task: row_batches(
                splits["train"].inputs.sizes.cpu().numpy(),
                size,
                np.random.default_rng([self.seed, place]),
            )
            for place, (task, splits) in enumerate(self.parts.items())
        }

    def _optimizers(self, epochs: list[Epoch], phase: int) -> Optimizers:
        updates = sum(len(epoch.updates) for epoch in epochs if epoch.phase == phase)
        return Optimizers(
            self.parameters,
            self.section,
            updates=updates,
            factor=self.section.later_phase_lr if phase else 1.0,
            extra=tuple(self.log_variances.values()),
        )

    def _train_epoch(
        self, epoch: Epoch, streams: Mapping[str, Iterator[np.ndarray]], optimizers: Optimizers
    ) -> dict[str, float]:
        self.model.train()
        sums: dict[str, list[torch.Tensor]] = {task: [] for task in epoch.tasks}
        for update in epoch.updates:
            losses = self._update(update, streams)
            optimizers.step()
            for task, loss in losses.items():
                sums[task].append(loss)
        return {
            task: float(self.processes.sum(torch.stack(losses)).mean())
            for task, losses in sums.items()
        }

    def _update(
        self, tasks: tuple[str, ...], streams: Mapping[str, Iterator[np.ndarray]]
    ) -> dict[str, torch.Tensor]:
        """Gradients of one update into the parameters; each task's own loss, detached."""
        inputs, losses, batch = {}, {}, 0
        for task in tasks:
            rows = torch.from_numpy(next(streams[task]))
            part, batch = self.parts[task]["train"], batch + len(rows)
            mine = self.processes.share(rows).to(part.labels.device)
            inputs[task] = part.inputs.select(mine)
            losses[task] = self._loss(task, mine, inputs[task], len(rows))
        self.updates_done, self.examples_seen = self.updates_done + 1, self.examples_seen + batch
        kept = self.remedy.loss(inputs, batch) if self.remedy is not None else None
        if self.section.balancing == "pcgrad" and len(tasks) > 1:
            self._backward_projected(losses, kept)
        else:
            total = self._balanced(losses) if kept is None else self._balanced(losses) + kept
            total.backward()
            self.processes.sum_gradients([*self.parameters.values(), *self.log_variances.values()])
        return {task: loss.detach() for task, loss in losses.items()}

    def _loss(self, task: str, rows: torch.Tensor, inputs: Inputs, whole: int) -> torch.Tensor:
        """This process's part of the mean cross-entropy over ``whole`` rows, a scalar in nats."""
        labels = self.parts[task]["train"].labels[rows]
        return functional.cross_entropy(self.model(inputs, task), labels, reduction="sum") / whole

    def _balanced(self, losses: Mapping[str, torch.Tensor]) -> torch.Tensor:
        if self.log_variances:
            return uncertainty_weighted(losses, self.log_variances)
        return torch.stack(
            [self.section.weights.get(task, 1.0) * loss for task, loss in losses.items()]
        ).sum()

    def _backward_projected(
        self, losses: Mapping[str, torch.Tensor], kept: torch.Tensor | None
    ) -> None:
        """PCGrad on the shared parameters; heads take their own gradient."""
        shared = list(self.model.shared_parameters().values())
        own = [one for name, one in self.parameters.items() if not name.startswith("backbone.")]
        flat = []
        for task, loss in losses.items():
            head = list(self.model.head(task).parameters())
            gradients = torch.autograd.grad(
                self.section.weights.get(task, 1.0) * loss, [*shared, *head], allow_unused=True
            )
            flat.append(self.processes.sum(_flat(gradients[: len(shared)], shared)))
            for parameter, gradient in zip(head, gradients[len(shared) :], strict=True):
                parameter.grad = gradient
        self.processes.sum_gradients(own)
        _unflatten(project_conflicts(flat, self.order), shared)
        if kept is not None:
            kept.backward()


def judge_part(model: MultitaskModel, part: TaskPart, task: str) -> TaskResult:
    """The answers of ``task``'s head on one split, held against the right ones."""
    logits = answer_logits(model, part.inputs, task)
    losses = functional.cross_entropy(logits.float(), part.labels, reduction="none").cpu().numpy()
    answers = logits.argmax(dim=-1)
    correct = (answers == part.labels).cpu().numpy()
    return TaskResult(
        float(correct.mean()), float(losses.mean()), correct, losses, answers.cpu().numpy()
    )


def _flat(
    gradients: tuple[torch.Tensor | None, ...], parameters: list[torch.nn.Parameter]
) -> torch.Tensor:
    return torch.cat(
        [
            (torch.zeros_like(one) if gradient is None else gradient).reshape(-1)
            for one, gradient in zip(parameters, gradients, strict=True)
        ]
    )


def _unflatten(flat: torch.Tensor, parameters: list[torch.nn.Parameter]) -> None:
    start = 0
    for parameter in parameters:
        parameter.grad = flat[start : start + parameter.numel()].view_as(parameter)
        start += parameter.numel()


def _check(section: TasksSection, tasks: tuple[str, ...], processes: int) -> None:
    """Raise ``ConfigError`` where parts of the section do not go together."""
    unknown = sorted(set(section.weights) - set(tasks))
    if unknown:
        raise ConfigError(
            f"multitask.weights names {unknown[0]!r}, which is no task here; the tasks are "
            f"{', '.join(tasks)}"
        )
    if section.balancing != "fixed" and section.strategy != "mixed" and len(tasks) > 1:
        raise ConfigError(
            f"multitask.balancing={section.balancing} needs updates that see all tasks; set "
            f"multitask.strategy=mixed (it is {section.strategy}), or balancing=fixed"
        )
    if section.remedy != "none" and section.strategy not in ("sequential", "curriculum"):
        raise ConfigError(
            f"multitask.remedy={section.remedy} acts in later phases, which {section.strategy} has"
            " not; set multitask.strategy=sequential or curriculum, or remedy=none"
        )
    if section.batch_size < processes:
        raise ConfigError(
            f"multitask.batch_size {section.batch_size} is less than the {processes} processes; "
            "raise it, so that each has a row"
        )
