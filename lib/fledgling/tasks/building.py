"""Makes the model that the configuration asks for, on either backbone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch

from fledgling.core.errors import ConfigError
from fledgling.tasks.data.examples import TaskSplits
from fledgling.tasks.graph_encoding import Vocabulary
from fledgling.tasks.language_model import LlmBackbone
from fledgling.tasks.model import GraphBackbone, GraphShape, MultitaskModel
from fledgling.tasks.settings import GraphSection


def build_graph_model(
    tasks: Mapping[str, TaskSplits],
    section: GraphSection,
    *,
    seed: int,
    device: torch.device | None = None,
) -> MultitaskModel:
    """A fresh graph model with a head for each of ``tasks``; the same seed gives the same
    weights.
    """
    if section.hidden % section.heads:
        raise ConfigError(
            f"multitask.graph.hidden {section.hidden} is not a multiple of heads {section.heads}; "
            "change one of them"
        )
    torch.manual_seed(seed)
    shape = GraphShape(
        section.hidden, section.layers, section.heads, section.feed_forward, section.max_nodes
    )
    model = MultitaskModel(
        GraphBackbone(shape, Vocabulary.covering(_texts(tasks))), _classes(tasks)
    )
    return model.to(device or torch.device("cpu"))


def build_llm_model(
    tasks: Mapping[str, TaskSplits], backbone: LlmBackbone, *, seed: int
) -> MultitaskModel:
    """Fresh heads on the language model with its adapter."""
    torch.manual_seed(seed)
    return MultitaskModel(backbone, _classes(tasks)).to(backbone.device)


def _classes(tasks: Mapping[str, TaskSplits]) -> dict[str, tuple[str, ...]]:
    return {task: splits.classes for task, splits in tasks.items()}


def _texts(tasks: Mapping[str, TaskSplits]) -> Iterable[str]:
    return (example.text for splits in tasks.values() for example in splits.train)
