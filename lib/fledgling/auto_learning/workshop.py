"""Where models are made and measured on this machine, with the language model in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fledgling.auto_learning import guardrails
from fledgling.auto_learning.prediction import predict
from fledgling.auto_learning.registry import Model, Registry
from fledgling.auto_learning.replies import Replies
from fledgling.auto_learning.settings import AutoLearningSection
from fledgling.auto_learning.traffic import Task
from fledgling.auto_learning.workspace import Workspace
from fledgling.core.records import StepRecord
from fledgling.feedback.examples import ChatExample
from fledgling.feedback.trainer import train
from fledgling.models.loading import LoadedModel

# (task, reply) → what the reply was worth, 0 to 1
Judge = Callable[[Task, str], float]


class LocalWorkshop:
    """Trains and measures on one loaded model.

    ``system`` is the master's system message. ``trial`` holds tasks that nothing was trained on
    and ``judge`` scores their replies; with them a model is predicted before it is deployed.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        section: AutoLearningSection,
        seed: int = 0,
        *,
        system: str | None = None,
        trial: Sequence[Task] = (),
        judge: Judge | None = None,
    ) -> None:
        self.loaded, self.section, self.seed = loaded, section, seed
        self.system, self.trial, self.judge = system, list(trial), judge

    def train(self, examples: Sequence[ChatExample], folder: Path) -> Iterator[StepRecord]:
        """An adapter in ``folder``; one record a step."""
        return train(self.loaded, examples, self.section.training, folder=folder, seed=self.seed)

    def replies(self, registry: Registry) -> Replies:
        """Replies of all registered models on this one base; close it before training."""
        return Replies(self.loaded, registry, self.section.training, system=self.system)

    def measure(self, workspace: Workspace, model: Model, champion: Model) -> dict[str, Any]:
        """Guardrails, and where there are trial tasks the prediction."""
        registry, rails = Registry(workspace), self.section.guardrails
        with Replies(self.loaded, registry, self.section.training) as plain:
            moved = guardrails.forgotten(plain, model, rails)
        with self.replies(registry) as replies:
            found = guardrails.measure(replies, model, champion, moved, rails)
            metrics = found.to_metrics()
            if self.trial and self.judge:
                scores = [self._scores(replies, one) for one in (champion, model)]
                metrics |= vars(predict(*scores, self.section.prediction))
        return metrics

    def _scores(self, replies: Replies, model: Model) -> np.ndarray:
        prompts = [task.prompt for task in self.trial]
        said = replies.answer(model, prompts, max_new_tokens=self.loaded.max_new_tokens)
        return np.array(
            [self.judge(task, reply) for task, reply in zip(self.trial, said, strict=True)]
        )
