"""One model, several tasks: a shared backbone, a head per task, and how it is asked.

A backbone makes one vector of a text: ``graph.GraphBackbone``, or ``language_model.LlmBackbone``.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from fledgling.core.errors import DataError
from fledgling.tasks.data.examples import TaskExample
from fledgling.tasks.metrics import TaskAnswer, mean_by

UNKNOWN = "unknown"
# Texts answered at once: enough to keep the processor busy, few enough for a laptop's memory.
AT_ONCE = 256

Module = TypeVar("Module", bound=nn.Module)


class MultitaskModel(nn.Module):
    """A shared ``backbone`` and one linear head a task. ``classes``: task → its possible answers,
    in order.
    """

    def __init__(self, backbone: nn.Module, classes: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self.backbone = backbone
        self.classes = {task: tuple(answers) for task, answers in classes.items()}
        self.tasks = tuple(self.classes)
        # A list, not a dictionary by name: a module's name may hold no dot, a task's may.
        self.heads = nn.ModuleList(
            nn.Linear(backbone.width, len(answers)) for answers in self.classes.values()
        )

    def head(self, task: str) -> nn.Linear:
        """The head of ``task``."""
        return self.heads[self.tasks.index(task)]

    def forward(self, inputs: Inputs, task: str) -> torch.Tensor:
        """Logits (B, C) of ``task`` for prepared inputs."""
        return self.head(task)(self.backbone(inputs))

    def trained(self) -> dict[str, nn.Parameter]:
        """The parameters that training changes, by name."""
        return {name: part for name, part in self.named_parameters() if part.requires_grad}

    def shared_parameters(self) -> dict[str, nn.Parameter]:
        """The backbone's trainable parameters by name."""
        return {name: part for name, part in self.backbone.named_parameters() if part.requires_grad}

    @torch.no_grad()
    def adopt(self, other: MultitaskModel) -> None:
        """Take over what another model has learned: its backbone, and the heads of its tasks."""
        learned = other.shared_parameters()
        for name, part in self.shared_parameters().items():
            part.copy_(learned[name])
        for task in other.tasks:
            self.head(task).load_state_dict(other.head(task).state_dict())


class Inputs(Protocol):
    """Texts prepared for a backbone: rows that can be chosen and moved."""

    sizes: torch.Tensor

    def select(self, rows: torch.Tensor) -> Inputs: ...


@dataclass(frozen=True)
class TaskPart:
    """One split of one task, ready for the model: examples, their inputs, and the number of each
    right answer (N,).
    """

    examples: tuple[TaskExample, ...]
    inputs: Inputs
    labels: torch.Tensor

    def some(self, count: int, generator: np.random.Generator) -> TaskPart:
        """``count`` random examples, in their order."""
        chosen = np.sort(generator.choice(len(self.examples), size=count, replace=False))
        rows = torch.from_numpy(chosen).to(self.labels.device)
        examples = tuple(self.examples[row] for row in chosen)
        return TaskPart(examples, self.inputs.select(rows), self.labels[rows])


@dataclass(frozen=True)
class Prepared:
    """What training may look at: to learn from, and to choose by. The test is not among it."""

    train: TaskPart
    validation: TaskPart


Parts = Mapping[str, Prepared]


def prepare(
    backbone: nn.Module, examples: Sequence[TaskExample], classes: Sequence[str]
) -> TaskPart:
    """Examples turned once into what the backbone reads."""
    number = {answer: place for place, answer in enumerate(classes)}
    inputs = backbone.prepare([example.text for example in examples])
    labels = [number[example.answer] for example in examples]
    return TaskPart(tuple(examples), inputs, torch.tensor(labels, device=inputs.sizes.device))


def duplicate(module: Module) -> Module:
    """A copy to train on. What is frozen is shared: a copied language model costs its adapter."""
    frozen = {id(part): part for part in module.parameters() if not part.requires_grad}
    return copy.deepcopy(module, frozen)


@torch.no_grad()
def answer_logits(model: MultitaskModel, inputs: Inputs, task: str) -> torch.Tensor:
    """Logits (N, C) of ``task`` for all inputs, in the given order."""
    model.eval()
    # Texts of like length go together, so that little of a batch is padding.
    order = inputs.sizes.argsort(stable=True)
    logits = torch.cat([model(inputs.select(rows), task) for rows in order.split(AT_ONCE)])
    return torch.empty_like(logits).index_copy_(0, order, logits)


@dataclass(frozen=True)
class TaskResult:
    """How a task fares on one split, exercise by exercise: ``correct`` and ``losses`` in nats are
    (N,).
    """

    examples: tuple[TaskExample, ...]
    answers: tuple[str, ...]
    correct: np.ndarray
    losses: np.ndarray

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return float(self.correct.mean())

    def by(self, group: Literal["skill", "level"], values: np.ndarray) -> dict[str, float]:
        """The mean of ``values`` (N,), such as ``correct``, over each skill or level."""
        return mean_by([str(getattr(one, group)) for one in self.examples], values)


def judge_part(model: MultitaskModel, part: TaskPart, task: str) -> TaskResult:
    """The answers of ``task``'s head on one split, held against the right ones."""
    logits = answer_logits(model, part.inputs, task).float()
    losses = functional.cross_entropy(logits, part.labels, reduction="none")
    numbers = logits.argmax(dim=-1)
    answers = tuple(model.classes[task][number] for number in numbers.tolist())
    correct = numbers == part.labels
    return TaskResult(part.examples, answers, correct.cpu().numpy(), losses.cpu().numpy())


def ask(model: MultitaskModel, texts: str | Sequence[str], task: str) -> list[TaskAnswer]:
    """Answer each text as ``task``; nothing is loaded or switched but the head.

    Raises ``DataError`` for a task the model has not, a text that is empty or too long, or not a
    string. A text with characters that the model never saw gets the answer "unknown" with
    probability 0.
    """
    texts = [texts] if isinstance(texts, str) else list(texts)
    if task not in model.tasks:
        raise DataError(
            f"task {task!r} is not one of this model's; ask for one of {', '.join(model.tasks)}"
        )
    wrong = next((text for text in texts if not isinstance(text, str)), None)
    if wrong is not None:
        raise DataError(f"{wrong!r} is not a text; give a string, or a list of strings")
    if not texts:
        return []
    logits = answer_logits(model, model.backbone.prepare(texts), task)
    best = logits.float().softmax(dim=-1).max(dim=-1)
    answers = []
    for text, probability, number in zip(
        texts, best.values.tolist(), best.indices.tolist(), strict=True
    ):
        # A guess about what was never seen would look as sure as an answer.
        unread = model.backbone.unread(text)
        known = TaskAnswer(text, task, model.classes[task][number], probability)
        answers.append(TaskAnswer(text, task, UNKNOWN, 0.0, unread) if unread else known)
    return answers
