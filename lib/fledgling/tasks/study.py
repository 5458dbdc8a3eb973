"""A study: the tasks of one seed, prepared once, and how models are made and trained on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from fledgling.core.errors import ConfigError
from fledgling.core.layers import override
from fledgling.core.runtime import Runtime
from fledgling.models.loading import LoadedModel, load_model
from fledgling.models.settings import ModelsSection
from fledgling.tasks.data.examples import TaskSplits
from fledgling.tasks.data.sets import load_tasks
from fledgling.tasks.encoding import Vocabulary
from fledgling.tasks.graph import GraphBackbone
from fledgling.tasks.model import (
    MultitaskModel,
    Parts,
    Prepared,
    TaskResult,
    judge_part,
    prepare,
)
from fledgling.tasks.processes import Processes
from fledgling.tasks.settings import TasksSection
from fledgling.tasks.trainer import MultitaskTrainer


@dataclass(frozen=True)
class Study:
    """``tasks`` with all their splits, ``parts`` prepared for training, ``section``: how to train.

    The test split is not among the parts: only ``report`` reads it. ``base``: the language model
    where ``section.backbone`` asks for one.
    """

    tasks: dict[str, TaskSplits]
    parts: Parts
    section: TasksSection
    seed: int
    device: torch.device
    base: LoadedModel | None = None

    def model(self) -> MultitaskModel:
        """A fresh model; always the same for one seed."""
        torch.manual_seed(self.seed)
        backbone = _backbone(self.tasks, self.section, self.base, seed=self.seed)
        classes = {task: self.tasks[task].classes for task in self.parts}
        return MultitaskModel(backbone, classes).to(self.device)

    def trainer(self, model: MultitaskModel | None = None) -> MultitaskTrainer:
        """A trainer that does what the configuration says, of a fresh model where none is given."""
        return MultitaskTrainer(model or self.model(), self.parts, self.section, seed=self.seed)

    def changed(self, **values: Any) -> Study:
        """The same study with some values of the configuration changed, checked like any layer."""
        return replace(self, section=override(self.section, values))

    def only(self, task: str) -> Study:
        """The same study with one task alone: the same examples, updates and first weights of the
        backbone.
        """
        # A weight is against other tasks' weights: alone there are none.
        section = self.section.model_copy(update={"weights": {}})
        return replace(self, parts={task: self.parts[task]}, section=section)

    def thinned(self, share: float) -> Study:
        """The same study with a random ``share`` of the training examples, at least one a task."""
        generator = np.random.default_rng([self.seed, 5])
        parts = {}
        for task, part in self.parts.items():
            count = max(1, round(share * len(part.train.examples)))
            parts[task] = replace(part, train=part.train.some(count, generator))
        return replace(self, parts=parts)

    def report(self, model: MultitaskModel) -> dict[str, TaskResult]:
        """``model``'s answers to the test, by task: to be read once, when all choices are made.
        No other function of the package reads the test.
        """
        results = {}
        for task in model.tasks:
            splits = self.tasks[task]
            part = prepare(model.backbone, splits.test, splits.classes)
            results[task] = judge_part(model, part, task)
        return results


def load_base(section: TasksSection, models: ModelsSection, runtime: Runtime) -> LoadedModel | None:
    """The language model where ``section.backbone`` asks for one, else None."""
    if section.backbone != "llm":
        return None
    # Under a launcher every process has a GPU of its own, and the model belongs on that one.
    return load_model(models, replace(runtime, device=Processes(runtime.device).device))


def prepare_study(
    section: TasksSection,
    *,
    seed: int,
    device: torch.device | None = None,
    base: LoadedModel | None = None,
) -> Study:
    """Load the tasks of ``seed`` and turn them into what the configured backbone reads.

    With the backbone ``llm``, a thousand times slower than the graph, the values of
    ``section.llm.instead`` act.
    """
    if section.backbone == "llm":
        if base is None:
            raise ConfigError("tasks.backbone=llm needs a language model; give one as base")
        section, device = override(section, section.llm.instead), base.device
    device = Processes(device or torch.device("cpu")).device
    tasks = load_tasks(section.data, seed=seed)
    backbone = _backbone(tasks, section, base, seed=seed).to(device)
    parts = {
        task: Prepared(
            train=prepare(backbone, splits.train, splits.classes),
            validation=prepare(backbone, splits.validation, splits.classes),
        )
        for task, splits in tasks.items()
    }
    return Study(tasks, parts, section, seed, device, base)


def _backbone(
    tasks: dict[str, TaskSplits], section: TasksSection, base: LoadedModel | None, *, seed: int
) -> nn.Module:
    if base is not None:
        # Here, since it brings peft, which takes seconds to import.
        from fledgling.tasks.language_model import LlmBackbone

        return LlmBackbone(base, section.llm.adapter, seed=seed)
    # Of all tasks, so that a task alone has the same first weights as together with the others.
    texts = [example.text for splits in tasks.values() for example in splits.train]
    return GraphBackbone(section.graph, Vocabulary.covering(texts))
