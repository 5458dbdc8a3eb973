"""One model, several tasks: a shared backbone and a head per task.

The ``graph`` backbone is a small graph transformer over characters, a Graphormer (Ying et al. 2021,
arXiv:2106.05234) whose attention is biased by the learned weight of each edge type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import torch
from torch import nn
from torch.nn import functional

from fledgling.tasks.data.examples import TaskExample, TaskSplits
from fledgling.tasks.graph_encoding import (
    EDGE_TYPES,
    PLACES,
    Graphs,
    Vocabulary,
    edge_types_of_kinds,
    encode,
)

# An edge weight counts so many times: attention to one kind of edge is then a few updates away.
EDGE_GAIN = 20.0


@dataclass(frozen=True)
class GraphShape:
    """The size of a graph backbone; ``max_nodes`` counts the virtual node."""

    hidden: int = 128
    layers: int = 3
    heads: int = 4
    feed_forward: int = 256
    max_nodes: int = 64


class GraphLayer(nn.Module):
    """Attention over the nodes, biased by edge, then a feed-forward part; both normalised
    before.
    """

    def __init__(self, shape: GraphShape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.attention_norm = nn.LayerNorm(shape.hidden)
        self.query = nn.Linear(shape.hidden, shape.hidden, bias=False)
        self.key_value = nn.Linear(shape.hidden, 2 * shape.hidden, bias=False)
        self.output = nn.Linear(shape.hidden, shape.hidden)
        self.feed_forward_norm = nn.LayerNorm(shape.hidden)
        self.expand = nn.Linear(shape.hidden, 2 * shape.feed_forward)
        self.contract = nn.Linear(shape.feed_forward, shape.hidden)

    def forward(
        self, states: torch.Tensor, bias: torch.Tensor, only: int | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """``states`` (B, L, D), ``bias`` (B, H, L, L) → states and attention (B, H, L, L); first
        ``only`` nodes.
        """
        batch, length, hidden = states.shape
        normal = self.attention_norm(states)
        if only is not None:
            states, bias = states[:, :only], bias[:, :, :only]
        asking = states.shape[1]
        query = self.query(normal[:, :asking]).view(batch, asking, self.heads, -1).transpose(1, 2)
        key_value = (
            self.key_value(normal).view(batch, length, 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        )
        scores = query @ key_value[0].transpose(-1, -2) * (hidden // self.heads) ** -0.5 + bias
        attention = scores.softmax(dim=-1)  # (B, H, asking, L)
        mixed = (attention @ key_value[1]).transpose(1, 2).reshape(batch, asking, hidden)
        states = states + self.output(mixed)
        gate, value = self.expand(self.feed_forward_norm(states)).chunk(2, dim=-1)
        return states + self.contract(functional.silu(gate) * value), attention


class GraphBackbone(nn.Module):
    """Characters with places, joined by typed edges → one vector a text, read from the virtual
    node.
    """

    def __init__(self, shape: GraphShape, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.shape, self.vocabulary, self.width = shape, vocabulary, shape.hidden
        self.characters = nn.Parameter(torch.randn(len(vocabulary), shape.hidden) * 0.02)
        self.register_buffer("features", vocabulary.features(), persistent=False)
        self.feature_projection = nn.Linear(self.features.shape[1], shape.hidden, bias=False)
        self.places = nn.Parameter(torch.randn(4 * PLACES, shape.hidden) * 0.1)
        self.edge_weights = nn.Parameter(
            torch.randn(len(EDGE_TYPES), shape.layers * shape.heads) * 0.1
        )
        self.register_buffer("kinds", edge_types_of_kinds(), persistent=False)
        self.register_buffer(
            "offsets",
            torch.tensor(
                [0, *(len(vocabulary) + PLACES * part for part in range(4))], dtype=torch.int32
            ),
            persistent=False,
        )
        self.layers = nn.ModuleList(GraphLayer(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.hidden)

    def describe(self) -> dict[str, Any]:
        """What is needed to build this backbone again, as JSON."""
        return {
            "kind": "graph",
            "shape": asdict(self.shape),
            "characters": self.vocabulary.characters,
        }

    def prepare(self, texts: Sequence[str]) -> Graphs:
        """The texts as graphs on the model's device. Raises ``DataError`` for an empty or too long
        text.
        """
        graphs = encode(texts, self.vocabulary, max_nodes=self.shape.max_nodes)
        return graphs.to(self.characters.device)

    def unread(self, text: str) -> str:
        """The characters of ``text`` that this backbone has never seen."""
        return self.vocabulary.unknown(text)

    def edge_scores(self) -> torch.Tensor:
        """(edge types, layers · heads): what each type of edge adds to the attention score."""
        return EDGE_GAIN * self.edge_weights

    def edge_bias(self, graphs: Graphs) -> torch.Tensor:
        """(layers, B, H, L, L): what every edge adds to the attention score; padding adds −∞ in
        effect.
        """
        padding = self.edge_weights.new_full((1, self.edge_weights.shape[1]), -1e9)
        table = torch.cat([self.kinds @ self.edge_scores(), padding])
        bias = functional.embedding(graphs.edges.int(), table)  # (B, L, L, layers * H)
        return bias.view(*bias.shape[:3], self.shape.layers, self.shape.heads).permute(
            3, 0, 4, 1, 2
        )

    def node_states(self, graphs: Graphs) -> torch.Tensor:
        """(B, L, D): what each node starts from."""
        characters = self.characters + self.feature_projection(self.features)
        table = torch.cat([characters, self.places])
        return functional.embedding(graphs.nodes.int() + self.offsets, table).sum(dim=2)

    def forward(self, graphs: Graphs) -> torch.Tensor:
        """(B, D) for a batch of graphs."""
        return self.norm(self.trace(graphs)[0][-1][:, 0])

    def trace(
        self, graphs: Graphs, *, whole: bool = False
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Node states (B, L, D) and attention (B, H, L, L) layer by layer; the last layer only for
        the virtual node unless ``whole``.
        """
        states, bias = self.node_states(graphs), self.edge_bias(graphs)
        activations, attentions = [states], []
        for number, layer in enumerate(self.layers):
            only = None if whole or number + 1 < len(self.layers) else 1
            states, attention = layer(states, bias[number], only)
            activations.append(states)
            attentions.append(attention)
        return activations, attentions


class MultitaskModel(nn.Module):
    """A shared ``backbone`` and one linear head a task. ``classes``: task → its possible answers,
    in order.
    """

    def __init__(self, backbone: nn.Module, classes: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self.backbone = backbone
        self.classes = {task: tuple(answers) for task, answers in classes.items()}
        self.tasks = tuple(self.classes)
        self.heads = nn.ModuleList(
            nn.Linear(backbone.width, len(answers)) for answers in self.classes.values()
        )

    def head(self, task: str) -> nn.Linear:
        """The head of ``task``."""
        return self.heads[self.tasks.index(task)]

    def forward(self, inputs: Graphs, task: str) -> torch.Tensor:
        """Logits (B, C) of ``task`` for prepared inputs."""
        return self.head(task)(self.backbone(inputs))

    def shared_parameters(self) -> dict[str, nn.Parameter]:
        """The backbone's trainable parameters by name."""
        return {name: part for name, part in self.backbone.named_parameters() if part.requires_grad}


class Inputs(Protocol):
    """Texts prepared for a backbone: rows that can be chosen and moved."""

    sizes: torch.Tensor

    def __len__(self) -> int: ...

    def select(self, rows: torch.Tensor) -> Inputs: ...


@dataclass(frozen=True)
class TaskPart:
    """One split of one task, ready for the model: examples, their inputs, and the number of each
    right answer (N,).
    """

    examples: tuple[TaskExample, ...]
    inputs: Inputs
    labels: torch.Tensor


Parts = dict[str, dict[str, TaskPart]]


def prepare_tasks(backbone: nn.Module, tasks: Mapping[str, TaskSplits]) -> Parts:
    """Every split of every task prepared once, by task and split name."""
    prepared: Parts = {}
    for task, splits in tasks.items():
        number = {answer: place for place, answer in enumerate(splits.classes)}
        prepared[task] = {}
        for name, part in splits.parts().items():
            inputs = backbone.prepare([example.text for example in part])
            labels = torch.tensor(
                [number[example.answer] for example in part], device=inputs.sizes.device
            )
            prepared[task][name] = TaskPart(part, inputs, labels)
    return prepared


@torch.no_grad()
def answer_logits(
    model: MultitaskModel, inputs: Inputs, task: str, *, batch: int = 256
) -> torch.Tensor:
    """Logits (N, C) of ``task`` for all inputs, shorter ones first through the model, in the given
    order.
    """
    model.eval()
    order = inputs.sizes.argsort(stable=True)
    logits = torch.cat([model(inputs.select(rows), task) for rows in order.split(batch)])
    return torch.empty_like(logits).index_copy_(0, order, logits)
