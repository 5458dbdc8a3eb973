"""Asking a multi-task model: any task at any time, bad input told apart from bad answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fledgling.core.errors import DataError
from fledgling.tasks.model import MultitaskModel, answer_logits

UNKNOWN = "unknown"


@dataclass(frozen=True)
class TaskAnswer:
    """An answer and its probability. ``answer`` is "unknown" where ``unread`` names characters
    never seen.
    """

    text: str
    task: str
    answer: str
    probability: float
    unread: str = ""


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
    inputs = model.backbone.prepare(texts)
    probabilities = answer_logits(model, inputs, task).float().softmax(dim=-1)
    best = probabilities.max(dim=-1)
    answers = []
    for row, text in enumerate(texts):
        unread = model.backbone.unread(text)
        answer = UNKNOWN if unread else model.classes[task][int(best.indices[row])]
        answers.append(
            TaskAnswer(text, task, answer, 0.0 if unread else float(best.values[row]), unread)
        )
    return answers
