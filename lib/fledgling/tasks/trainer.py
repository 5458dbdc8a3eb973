"""Trains one model on several tasks and says how each fares, epoch by epoch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
import torch
from torch.nn import functional

from fledgling.core.errors import ConfigError
from fledgling.tasks.balancing import (
    cosine,
    gradient,
    project_conflicts,
    set_gradient,
    uncertainty_weighted,
    weighted,
)
from fledgling.tasks.metrics import EpochRecord
from fledgling.tasks.model import MultitaskModel, Parts, TaskResult, judge_part
from fledgling.tasks.optimizers import Optimizers
from fledgling.tasks.processes import Processes
from fledgling.tasks.remedies import Seen, build_remedy
from fledgling.tasks.schedule import Epoch, plan, repeats, row_batches
from fledgling.tasks.settings import TasksSection

Streams = Mapping[str, Iterator[np.ndarray]]


class MultitaskTrainer:
    """One model, its prepared tasks, and the way to train them. ``train`` yields a record an
    epoch.
    """

    def __init__(
        self, model: MultitaskModel, parts: Parts, section: TasksSection, *, seed: int = 0
    ) -> None:
        self.model, self.parts, self.section, self.seed = model, parts, section, seed
        self.tasks = tuple(parts)
        self.processes = Processes(next(model.parameters()).device)
        self.plan = plan(
            section.strategy,
            self.tasks,
            epochs=section.epochs,
            updates=section.updates_per_epoch,
        )
        together = max(len(update) for epoch in self.plan for update in epoch.updates)
        # An update that sees several tasks takes fewer rows of each: as many exercises in all.
        self.rows_a_task = max(1, section.batch_size // together)
        _check(section, parts, self.rows_a_task, self.processes.count)
        self.parameters = model.trained()
        uncertain = self.tasks if section.balancing == "uncertainty" else ()
        self.log_variances = {
            task: torch.nn.Parameter(torch.zeros((), device=self.processes.device))
            for task in uncertain
        }
        self.remedy = build_remedy(model, parts, section, self.processes, seed)
        self.order = torch.Generator().manual_seed(seed)
        self.updates_done = self.examples_seen = 0
        self.seconds_training = 0.0

    def train(self, *, first_phase: int = 0) -> Iterator[EpochRecord]:
        """Train as configured; after each epoch yield losses, gradient conflict, and accuracies on
        the validation split.

        Phases before ``first_phase`` count as done already: the model was trained on them by
        another trainer.
        """
        started = time.perf_counter()
        streams = self._streams()
        optimizers, phase = None, 0
        for number, epoch in enumerate(self.plan, start=1):
            if epoch.phase != phase:
                self.remedy.finish(self._trained_in(phase))
            if optimizers is None or epoch.phase != phase:
                # Every phase starts afresh: momentum of the last task would pull back to it.
                optimizers = self._optimizers(epoch.phase)
            phase = epoch.phase
            if phase < first_phase:
                continue
            began = time.perf_counter()
            losses = self._train_epoch(epoch, streams, optimizers)
            self.seconds_training += time.perf_counter() - began
            yield self._record(number, epoch, losses, started)

    def _trained_in(self, phase: int) -> tuple[str, ...]:
        return next(epoch.tasks for epoch in self.plan if epoch.phase == phase)

    def _record(
        self, number: int, epoch: Epoch, losses: dict[str, float], started: float
    ) -> EpochRecord:
        results = self.evaluate()
        every = self.section.conflict_every
        measures = bool(every) and number % every == 0 and len(self.tasks) > 1
        return EpochRecord(
            run=self.section.strategy,
            seed=self.seed,
            epoch=number,
            phase=epoch.phase,
            trained=epoch.tasks,
            train_loss=losses,
            accuracy={task: found.accuracy for task, found in results.items()},
            loss={task: float(found.losses.mean()) for task, found in results.items()},
            skills={task: found.by("skill", found.correct) for task, found in results.items()},
            levels={task: found.by("level", found.correct) for task, found in results.items()},
            skill_losses={task: found.by("skill", found.losses) for task, found in results.items()},
            level_losses={task: found.by("level", found.losses) for task, found in results.items()},
            conflict=self.conflict() if measures else None,
            train_examples={task: len(part.train.examples) for task, part in self.parts.items()},
            updates=self.updates_done,
            examples=self.examples_seen,
            seconds=time.perf_counter() - started,
            seconds_training=self.seconds_training,
        )

    def evaluate(self) -> dict[str, TaskResult]:
        """Every task on its validation split, from its own head."""
        return {
            task: judge_part(self.model, part.validation, task) for task, part in self.parts.items()
        }

    def conflict(self) -> float:
        """Mean cosine between the tasks' gradients on the shared parameters; below 0 they pull
        against each other.
        """
        pairs = combinations(self.task_gradients().values(), 2)
        return float(np.mean([cosine(one, other) for one, other in pairs]))

    def task_gradients(self) -> dict[str, torch.Tensor]:
        """Each task's flat gradient (P,) on the shared parameters, over a batch spread across its
        training examples.
        """
        shared = list(self.model.shared_parameters().values())
        gradients = {}
        for task, part in self.parts.items():
            # Evenly spread rather than drawn: measuring leaves the order of training alone.
            count = len(part.train.examples)
            step = max(1, count // self.section.batch_size)
            rows = torch.arange(0, count, step, device=self.processes.device)
            gradients[task] = gradient(self._loss(task, rows, len(rows))[0], shared)
        return gradients

    def _streams(self) -> Streams:
        streams = {}
        for place, (task, part) in enumerate(self.parts.items()):
            generator = np.random.default_rng([self.seed, place])
            sizes = part.train.inputs.sizes.cpu().numpy()
            # Of some skills there are few different exercises: left to their number, they would
            # hardly be practised.
            skills = [example.skill for example in part.train.examples]
            times = repeats(skills, self.section.skill_balance)
            streams[task] = row_batches(sizes, self.rows_a_task, generator, times=times)
        return streams

    def _optimizers(self, phase: int) -> Optimizers:
        return Optimizers(
            self.parameters,
            self.section,
            updates=sum(len(epoch.updates) for epoch in self.plan if epoch.phase == phase),
            factor=self.section.later_phase_lr if phase else 1.0,
            extra=tuple(self.log_variances.values()),
        )

    def _train_epoch(
        self, epoch: Epoch, streams: Streams, optimizers: Optimizers
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

    def _update(self, tasks: tuple[str, ...], streams: Streams) -> dict[str, torch.Tensor]:
        """Gradients of one update into the parameters; each task's own loss, detached."""
        losses, seen, batch = {}, {}, 0
        for task in tasks:
            rows = torch.from_numpy(next(streams[task]))
            mine = self.processes.share(rows).to(self.processes.device)
            losses[task], seen[task] = self._loss(task, mine, len(rows))
            batch += len(rows)
        self.updates_done, self.examples_seen = self.updates_done + 1, self.examples_seen + batch
        if self.section.balancing == "pcgrad" and len(tasks) > 1:
            self._backward_projected(losses)
        else:
            (self._balanced(losses) + self.remedy.loss(seen, batch)).backward()
            self.processes.sum_gradients([*self.parameters.values(), *self.log_variances.values()])
        return {task: loss.detach() for task, loss in losses.items()}

    def _loss(self, task: str, rows: torch.Tensor, whole: int) -> tuple[torch.Tensor, Seen]:
        """This process's part of the mean cross-entropy over ``whole`` rows, a scalar in nats, and
        what it was worked out from.
        """
        part = self.parts[task].train
        inputs = part.inputs.select(rows)
        states = self.model.backbone(inputs)
        logits = self.model.head(task)(states)
        loss = functional.cross_entropy(logits, part.labels[rows], reduction="sum") / whole
        return loss, Seen(inputs, states)

    def _balanced(self, losses: Mapping[str, torch.Tensor]) -> torch.Tensor:
        mine = weighted(losses, self.section.weights)
        if self.log_variances:
            return uncertainty_weighted(mine, self.log_variances, 1 / self.processes.count)
        return sum(mine.values())

    def _backward_projected(self, losses: Mapping[str, torch.Tensor]) -> None:
        """PCGrad on the shared parameters; heads take their own gradient."""
        shared = list(self.model.shared_parameters().values())
        flat = []
        for task, loss in weighted(losses, self.section.weights).items():
            head = list(self.model.head(task).parameters())
            # Projected once summed: the parts of two processes may conflict where the sums do not.
            whole = self.processes.sum(gradient(loss, [*shared, *head]))
            sizes = [sum(one.numel() for one in some) for some in (shared, head)]
            of_shared, of_head = whole.split(sizes)
            flat.append(of_shared)
            set_gradient(of_head, head)
        set_gradient(project_conflicts(flat, self.order), shared)


def _check(section: TasksSection, parts: Parts, rows_a_task: int, processes: int) -> None:
    """Raise ``ConfigError`` where parts of the section do not go together."""
    unknown = sorted(set(section.weights) - set(parts))
    if unknown:
        raise ConfigError(
            f"tasks.weights names {unknown[0]!r}, which is no task here; the tasks are "
            f"{', '.join(parts)}"
        )
    if section.balancing != "fixed" and section.strategy != "mixed" and len(parts) > 1:
        raise ConfigError(
            f"tasks.balancing={section.balancing} needs updates that see all tasks; set "
            f"tasks.strategy=mixed (it is {section.strategy}), or balancing=fixed"
        )
    if section.remedy != "none" and section.strategy not in ("sequential", "curriculum"):
        raise ConfigError(
            f"tasks.remedy={section.remedy} acts in later phases, which {section.strategy} has"
            " not; set tasks.strategy=sequential or curriculum, or remedy=none"
        )
    fewest = min(rows_a_task, *(len(part.train.examples) for part in parts.values()))
    if fewest < processes:
        raise ConfigError(
            f"tasks.batch_size {section.batch_size} gives an update {fewest} rows of a task for "
            f"{processes} processes; raise it, or give more examples, so that each has a row"
        )
