"""The graph backbone: a small graph transformer over the characters of a text.

A Graphormer (Ying et al. 2021, arXiv:2106.05234) whose attention is biased by the learned weight of
each edge type.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from fledgling.tasks.encoding import (
    EDGE_TYPES,
    PLACES,
    Graphs,
    Vocabulary,
    edge_types_of_kinds,
    encode,
)
from fledgling.tasks.settings import GraphSection

# An edge weight counts so many times: attention to one kind of edge is then a few updates away,
# where at the rate of all other weights it would take hundreds.
EDGE_GAIN = 20.0
# What padding adds to a score: its attention is 0 in float32, and no row of a softmax is all −∞.
NO_EDGE = -1e9


class GraphLayer(nn.Module):
    """Attention over the nodes, biased by edge, then a feed-forward part; both normalised
    before.
    """

    def __init__(self, shape: GraphSection) -> None:
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
        key_value = self.key_value(normal).view(batch, length, 2, self.heads, -1)
        key, value = key_value.permute(2, 0, 3, 1, 4)  # each (B, H, L, D / H)
        scores = query @ key.transpose(-1, -2) * (hidden // self.heads) ** -0.5 + bias
        attention = scores.softmax(dim=-1)  # (B, H, asking, L)
        mixed = (attention @ value).transpose(1, 2).reshape(batch, asking, hidden)
        states = states + self.output(mixed)
        gate, value = self.expand(self.feed_forward_norm(states)).chunk(2, dim=-1)
        return states + self.contract(functional.silu(gate) * value), attention


class GraphBackbone(nn.Module):
    """Characters with places, joined by typed edges → one vector a text, read from the virtual
    node.
    """

    def __init__(self, shape: GraphSection, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.shape, self.vocabulary, self.width = shape, vocabulary, shape.hidden
        self.characters = nn.Parameter(torch.randn(len(vocabulary), shape.hidden) * 0.02)
        self.register_buffer("features", vocabulary.features(), persistent=False)
        self.feature_projection = nn.Linear(self.features.shape[1], shape.hidden, bias=False)
        # Places start larger than characters, which have their features to be told apart by.
        self.places = nn.Parameter(torch.randn(4 * PLACES, shape.hidden) * 0.1)
        self.edge_weights = nn.Parameter(
            torch.randn(len(EDGE_TYPES), shape.layers * shape.heads) * 0.1
        )
        self.register_buffer("kinds", edge_types_of_kinds(), persistent=False)
        # All five things that are known of a node stand in one table, so that one look-up serves.
        starts = [0, *(len(vocabulary) + PLACES * part for part in range(4))]
        self.register_buffer("starts", torch.tensor(starts, dtype=torch.int32), persistent=False)
        self.layers = nn.ModuleList(GraphLayer(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.hidden)

    def describe(self) -> dict[str, Any]:
        """What is needed to build this backbone again, as JSON."""
        return {
            "kind": "graph",
            "shape": self.shape.model_dump(),
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
        """(layers, B, H, L, L): what every edge adds to the attention score."""
        padding = self.edge_weights.new_full((1, self.edge_weights.shape[1]), NO_EDGE)
        table = torch.cat([self.kinds @ self.edge_scores(), padding])
        bias = functional.embedding(graphs.edges.int(), table)  # (B, L, L, layers * H)
        by_layer = bias.view(*bias.shape[:3], self.shape.layers, self.shape.heads)
        return by_layer.permute(3, 0, 4, 1, 2)

    def node_states(self, graphs: Graphs) -> torch.Tensor:
        """(B, L, D): what each node starts from."""
        characters = self.characters + self.feature_projection(self.features)
        table = torch.cat([characters, self.places])
        return functional.embedding(graphs.nodes.int() + self.starts, table).sum(dim=2)

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
            # The answer is read from node 0, so the last layer need not work out the others.
            only = None if whole or number + 1 < len(self.layers) else 1
            states, attention = layer(states, bias[number], only)
            activations.append(states)
            attentions.append(attention)
        return activations, attentions
