"""Try a trained model: what every head answers to a text, and along which edges it got there.

The live cell of notebook 03. Everything but the widget itself works without a browser.
"""

from __future__ import annotations

import os
from dataclasses import astuple
from typing import TYPE_CHECKING

import torch

from fledgling.core.errors import DataError
from fledgling.reports.figures import Drawing
from fledgling.tasks.encoding import EDGE_TYPES
from fledgling.tasks.figures import plot_look
from fledgling.tasks.graph import GraphBackbone
from fledgling.tasks.metrics import Edge, Look
from fledgling.tasks.model import MultitaskModel, ask

if TYPE_CHECKING:
    import ipywidgets

# What is drawn of a few dozen characters' thousand edges; the rest is hair.
STRONGEST = 8


def look(model: MultitaskModel, text: str) -> list[Look]:
    """What each task's head makes of ``text``. Raises ``DataError`` for an empty or too long one.

    An edge's weight is its attention times the gradient of the answer's logit by it, where positive
    (Chefer et al. 2021, arXiv:2103.15679), over layers and heads; shares of the task's whole.
    """
    model.eval()
    graph = isinstance(model.backbone, GraphBackbone)
    found = []
    for task in model.tasks:
        (answer,) = ask(model, text, task)
        found.append(Look(*astuple(answer), edges=_edges(model, text, task) if graph else ()))
    return found


def _edges(model: MultitaskModel, text: str, task: str) -> tuple[Edge, ...]:
    backbone = model.backbone
    graphs = backbone.prepare([text])
    states, attentions = backbone.trace(graphs, whole=True)
    logits = model.head(task)(backbone.norm(states[-1][:, 0]))
    gradients = torch.autograd.grad(logits.max(), attentions)
    used = sum(
        (attention * gradient).clamp_min(0.0).sum(dim=(0, 1))
        for attention, gradient in zip(attentions, gradients, strict=True)
    )
    used = (used / used.sum()).detach().cpu()  # (L, L): from the node that reads to the one read
    best = used.flatten().topk(min(STRONGEST, used.numel()))
    edges = []
    for weight, place in zip(best.values.tolist(), best.indices.tolist(), strict=True):
        reader, read = divmod(place, used.shape[1])
        types = backbone.kinds[int(graphs.edges[0, reader, read])]
        names = tuple(EDGE_TYPES[number] for number in types.nonzero().flatten().tolist())
        edges.append(Edge(reader, read, weight, names))
    return tuple(edges)


class Playground:
    """A line to type exercises into, and the picture of what the model makes of the last one."""

    def __init__(self, model: MultitaskModel, text: str) -> None:
        self.model = model
        self.picture, self.message = plot_look(look(model, text)), ""

    def show(self, text: str) -> Drawing:
        """The picture of ``text``; where it cannot be read, the last one stays and ``message`` says
        why.
        """
        try:
            self.picture, self.message = plot_look(look(self.model, text)), ""
        except DataError as error:
            self.message = str(error)
        return self.picture

    def widget(self, text: str) -> ipywidgets.VBox:
        """The line, the picture and the message, for JupyterLab."""
        import ipywidgets

        line = ipywidgets.Text(text, description="exercise", continuous_update=False)
        image = ipywidgets.Image(value=self.picture._repr_png_())
        # A label shows its text as it is: what a user types is never markup.
        message = ipywidgets.Label()

        def typed(change: dict[str, str]) -> None:
            image.value = self.show(change["new"])._repr_png_()
            message.value = self.message

        line.observe(typed, names="value")
        return ipywidgets.VBox([line, image, message])


def live_cell(model: MultitaskModel, text: str) -> ipywidgets.VBox | Drawing:
    """Something to type into in JupyterLab; one still picture where nobody is there to type."""
    playground = Playground(model, text)
    return playground.widget(text) if somebody_is_there() else playground.picture


def somebody_is_there() -> bool:
    """Whether a Jupyter server started this kernel for a notebook that is open in a browser; a
    report, nbconvert or nbval starts it without.
    """
    return "JPY_SESSION_NAME" in os.environ
