"""Remedies against forgetting earlier tasks: what each adds to the loss of a later phase."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn import functional

from fledgling.facts.learning.penalties import Tensors, ewc_penalty, fisher_diagonal, snapshot
from fledgling.tasks.model import Inputs, MultitaskModel, Parts, TaskPart, answer_logits, duplicate
from fledgling.tasks.processes import Processes
from fledgling.tasks.schedule import row_batches
from fledgling.tasks.settings import TasksSection

# What is kept of a finished task: exercises, the logits (N, C) given then, batches without end.
Memory = tuple[TaskPart, torch.Tensor, Iterator[np.ndarray]]


@dataclass(frozen=True)
class Seen:
    """What one update sees of a task: this process's inputs and what the backbone made of them,
    (B, D).
    """

    inputs: Inputs
    states: torch.Tensor


@dataclass
class Remedy:
    """No remedy, and what the others share: told when tasks are done, asked at every update for a
    loss to add.
    """

    model: MultitaskModel
    parts: Parts
    section: TasksSection
    processes: Processes
    generator: np.random.Generator

    def finish(self, tasks: tuple[str, ...]) -> None:
        """These tasks are learned; the next phase begins."""

    def loss(self, seen: Mapping[str, Seen], batch: int) -> torch.Tensor | float:
        """A scalar in nats. ``seen``: by task, what the update sees already; ``batch``: its rows
        over all processes.
        """
        return 0.0


@dataclass
class Rehearsal(Remedy):
    """Keeps a share of each finished task's training examples with the answers given then, and
    trains on both.

    Dark experience replay, DER++ (Buzzega et al. 2020, arXiv:2004.07211), here with softened
    answers.
    """

    memory: dict[str, Memory] = field(default_factory=dict)

    def finish(self, tasks: tuple[str, ...]) -> None:
        for task in tasks:
            part = self.parts[task].train
            count = int(self.section.rehearsal_share * len(part.examples))
            # Every process needs a row of its own, or its gradients would not match the others'.
            if task not in self.memory and count >= self.processes.count:
                kept = part.some(count, self.generator)
                sizes = kept.inputs.sizes.cpu().numpy()
                batches = row_batches(sizes, self.section.batch_size, self.generator)
                logits = answer_logits(self.model, kept.inputs, task)
                self.memory[task] = kept, logits, batches

    def loss(self, seen: Mapping[str, Seen], batch: int) -> torch.Tensor | float:
        return sum(self._rehearse(task) for task in self.memory if task not in seen)

    def _rehearse(self, task: str) -> torch.Tensor:
        kept, answers, batches = self.memory[task]
        places = torch.from_numpy(next(batches))
        mine = self.processes.share(places).to(kept.labels.device)
        logits = self.model(kept.inputs.select(mine), task)
        right = functional.cross_entropy(logits, kept.labels[mine], reduction="sum")
        temperature = self.section.distillation_temperature
        as_before = distillation_loss(logits, answers[mine], temperature).sum()
        weights = self.section.rehearsal_weight, self.section.rehearsal_answers_weight
        return (weights[0] * right + weights[1] * as_before) / len(places)


@dataclass
class ElasticWeights(Remedy):
    """Holds the shared parameters near their values after each finished task, by Fisher information
    (EWC).
    """

    held: list[tuple[Tensors, Tensors]] = field(default_factory=list)

    def finish(self, tasks: tuple[str, ...]) -> None:
        shared = self.model.shared_parameters()
        for task in tasks:
            part = self.parts[task].train
            count = min(self.section.ewc_examples, len(part.examples))
            some = part.some(count, self.generator)

            def loss(row: torch.Tensor, some: TaskPart = some, task: str = task) -> torch.Tensor:
                logits = self.model(some.inputs.select(row), task)
                return functional.cross_entropy(logits, some.labels[row])

            # One exercise at a time: the square of a mean gradient is not the mean square.
            each = torch.arange(count, device=part.labels.device).split(1)
            self.held.append((snapshot(shared), fisher_diagonal(shared, loss, each)))

    def loss(self, seen: Mapping[str, Seen], batch: int) -> torch.Tensor | float:
        shared = self.model.shared_parameters()
        penalty = sum(ewc_penalty(shared, anchor, fisher) for anchor, fisher in self.held)
        # Every process has the whole penalty, and their gradients are added up.
        return self.section.ewc_strength * penalty / self.processes.count


@dataclass
class Distillation(Remedy):
    """Keeps the finished tasks' answers to the new task's texts as the earlier model gave them
    (learning without forgetting).
    """

    finished: tuple[str, ...] = ()
    earlier: MultitaskModel | None = None

    def finish(self, tasks: tuple[str, ...]) -> None:
        self.finished = tuple(dict.fromkeys((*self.finished, *tasks)))
        self.earlier = duplicate(self.model).requires_grad_(False)

    def loss(self, seen: Mapping[str, Seen], batch: int) -> torch.Tensor | float:
        total, temperature = 0.0, self.section.distillation_temperature
        old = [task for task in self.finished if task not in seen]
        for one in seen.values() if old else ():
            before = self.earlier.backbone(one.inputs)
            for task in old:
                now, then = self.model.head(task)(one.states), self.earlier.head(task)(before)
                total = total + distillation_loss(now, then, temperature).sum() / batch
        return self.section.distillation_strength * total


def distillation_loss(
    logits: torch.Tensor, earlier: torch.Tensor, temperature: float
) -> torch.Tensor:
    """(B,) KL(earlier ‖ now) in nats of the softened answers, times T² (Li and Hoiem 2016,
    arXiv:1606.09282).

    ``logits``, ``earlier``: (B, C); no gradient flows into ``earlier``.
    """
    target = functional.log_softmax(earlier.detach() / temperature, dim=-1)
    now = functional.log_softmax(logits / temperature, dim=-1)
    divergence = functional.kl_div(now, target, reduction="none", log_target=True).sum(dim=-1)
    # Softening makes gradients T² times smaller; this makes up for it.
    return divergence * temperature**2


def build_remedy(
    model: MultitaskModel, parts: Parts, section: TasksSection, processes: Processes, seed: int
) -> Remedy:
    """The remedy that ``section.remedy`` names."""
    kinds = {"rehearsal": Rehearsal, "ewc": ElasticWeights, "distillation": Distillation}
    kind = kinds.get(section.remedy, Remedy)
    return kind(model, parts, section, processes, np.random.default_rng([seed, 7]))
