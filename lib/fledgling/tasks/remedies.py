"""Remedies against forgetting earlier tasks: what each adds to the loss of a later phase."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Protocol

import numpy as np
import torch
from torch.nn import functional

from fledgling.facts.learning.penalties import ewc_penalty, fisher_diagonal, snapshot
from fledgling.tasks.data.mixing import row_batches
from fledgling.tasks.losses import distillation_loss
from fledgling.tasks.model import Inputs, MultitaskModel, Parts, answer_logits
from fledgling.tasks.processes import Processes
from fledgling.tasks.settings import TasksSection


class Remedy(Protocol):
    """Told when tasks are done; asked at every update for a loss to add, a scalar in nats."""

    def finish(self, tasks: tuple[str, ...]) -> None: ...

    def loss(self, inputs: Mapping[str, Inputs], batch: int) -> torch.Tensor | None: ...


class Rehearsal:
    """Keeps a share of each finished task's training examples with the answers given then, and
    trains on both.

    Dark experience replay, DER++ (Buzzega et al. 2020, arXiv:2004.07211), here with softened
    answers.
    """

    def __init__(
        self,
        model: MultitaskModel,
        parts: Parts,
        section: TasksSection,
        processes: Processes,
        generator: np.random.Generator,
    ) -> None:
        self.model, self.parts, self.section = model, parts, section
        self.processes, self.generator = processes, generator
        self.memory: dict[str, torch.Tensor] = {}
        self.answers: dict[str, torch.Tensor] = {}
        self.batches: dict[str, Iterator[np.ndarray]] = {}

    def finish(self, tasks: tuple[str, ...]) -> None:
        for task in (task for task in tasks if task not in self.memory):
            part = self.parts[task]["train"]
            count = int(self.section.rehearsal_share * len(part.inputs))
            if count == 0:
                continue
            rows = np.sort(self.generator.choice(len(part.inputs), size=count, replace=False))
            self.memory[task] = torch.from_numpy(rows).to(part.labels.device)
            self.answers[task] = answer_logits(
                self.model, part.inputs.select(self.memory[task]), task
            )
            self.batches[task] = row_batches(
                part.inputs.sizes[self.memory[task]].cpu().numpy(),
                self.section.batch_size,
                self.generator,
            )

    def loss(self, inputs: Mapping[str, Inputs], batch: int) -> torch.Tensor | None:
        terms = [self._rehearse(task) for task in self.memory if task not in inputs]
        return torch.stack(terms).sum() if terms else None

    def _rehearse(self, task: str) -> torch.Tensor:
        part, places = self.parts[task]["train"], torch.from_numpy(next(self.batches[task]))
        mine = self.processes.share(places).to(part.labels.device)
        rows = self.memory[task][mine]
        logits = self.model(part.inputs.select(rows), task)
        right = functional.cross_entropy(logits, part.labels[rows], reduction="sum") / len(places)
        as_before = distillation_loss(
            logits, self.answers[task][mine], self.section.distillation_temperature
        ).sum() / len(places)
        return (
            self.section.rehearsal_weight * right
            + self.section.rehearsal_answers_weight * as_before
        )


class ElasticWeights:
    """Holds the shared parameters near their values after each finished task, by Fisher information
    (EWC).
    """

    def __init__(
        self,
        model: MultitaskModel,
        parts: Parts,
        section: TasksSection,
        processes: Processes,
        generator: np.random.Generator,
    ) -> None:
        self.model, self.parts, self.section = model, parts, section
        self.processes, self.generator = processes, generator
        self.held: list[tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]] = []

    def finish(self, tasks: tuple[str, ...]) -> None:
        shared = self.model.shared_parameters()
        for task in tasks:
            part = self.parts[task]["train"]
            count = min(self.section.ewc_examples, len(part.inputs))
            rows = torch.from_numpy(
                self.generator.choice(len(part.inputs), size=count, replace=False)
            )
            fisher = fisher_diagonal(
                shared,
                lambda row, part=part, task=task: functional.cross_entropy(
                    self.model(part.inputs.select(row), task), part.labels[row]
                ),
                rows.to(part.labels.device).split(1),
            )
            self.held.append((snapshot(shared), fisher))

    def loss(self, inputs: Mapping[str, Inputs], batch: int) -> torch.Tensor | None:
        if not self.held:
            return None
        shared = self.model.shared_parameters()
        penalty = torch.stack(
            [ewc_penalty(shared, anchor, fisher) for anchor, fisher in self.held]
        ).sum()
        return self.section.ewc_strength * penalty / self.processes.count


class Distillation:
    """Keeps the finished tasks' answers to the new task's texts as the earlier model gave them
    (LwF).
    """

    def __init__(self, model: MultitaskModel, section: TasksSection) -> None:
        self.model, self.section = model, section
        self.finished: tuple[str, ...] = ()
        self.earlier: MultitaskModel | None = None

    def finish(self, tasks: tuple[str, ...]) -> None:
        self.finished = tuple(dict.fromkeys((*self.finished, *tasks)))
        self.earlier = copy.deepcopy(self.model).requires_grad_(False)

    def loss(self, inputs: Mapping[str, Inputs], batch: int) -> torch.Tensor | None:
        if self.earlier is None:
            return None
        terms = []
        for seen in inputs.values():
            states, before = self.model.backbone(seen), self.earlier.backbone(seen)
            terms += [
                distillation_loss(
                    self.model.head(task)(states),
                    self.earlier.head(task)(before),
                    self.section.distillation_temperature,
                ).sum()
                / batch
                for task in self.finished
                if task not in inputs
            ]
        return self.section.distillation_strength * torch.stack(terms).sum() if terms else None


def build_remedy(
    model: MultitaskModel, parts: Parts, section: TasksSection, processes: Processes, seed: int
) -> Remedy | None:
    """The remedy that ``section.remedy`` names; None for ``none``."""
    generator = np.random.default_rng([seed, 7])
    if section.remedy == "rehearsal":
        return Rehearsal(model, parts, section, processes, generator)
    if section.remedy == "ewc":
        return ElasticWeights(model, parts, section, processes, generator)
    return Distillation(model, section) if section.remedy == "distillation" else None
