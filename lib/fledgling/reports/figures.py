"""The look that all figures share: each package's ``figures.py`` starts from ``new_figure``."""

from __future__ import annotations

import io
from collections.abc import Container, Mapping, Sequence

import numpy as np
from cycler import cycler
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito, "Color Universal Design" (2008): told apart under every common colour blindness.
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
PALETTE = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, BLACK)
GREY = "#7A8490"
SEQUENTIAL = "cividis"  # for shares and matrices; even in lightness, safe for colour blindness

STYLE = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "font.size": 10.5,
    "axes.labelcolor": "#333333",
    "axes.edgecolor": "#9AA3AD",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E9ED",
    "grid.linewidth": 0.8,
    "xtick.color": "#555555",
    "ytick.color": "#555555",
}


class Drawing(Figure):
    """A figure that a notebook shows by itself, without pyplot: once, where a cell returns it."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=100, bbox_inches="tight")
        return buffer.getvalue()


def new_figure(
    rows: int = 1,
    columns: int = 1,
    *,
    width: float = 8.0,
    height: float = 4.2,
    share_y: bool = False,
) -> tuple[Drawing, np.ndarray]:
    """A figure in the shared style and its axes, always an array of shape (rows, columns). Sizes in
    inches.

    The figure is free of pyplot and needs no closing.
    """
    with rc_context(STYLE):  # the user's own settings come back afterwards
        figure = Drawing(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, sharey=share_y)
    for one in axes.flat:
        one.set_prop_cycle(cycler(color=PALETTE) * cycler(linewidth=[2.0]))
    return figure, axes


def label(axes: Axes, *, title: str, x: str, y: str) -> Axes:
    """Title (what the panel shows) and axis labels (with units)."""
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold", pad=10.0)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return axes


def colour_of(names: list[str]) -> dict[str, str]:
    """One palette colour a name, in order, the same in every figure that lists the same names."""
    return {name: PALETTE[place % len(PALETTE)] for place, name in enumerate(names)}


def legend(axes: Axes, *, beside: bool = False, title: str = "") -> Axes:
    """A legend without a frame; ``beside`` puts it to the right of the panel, where it hides no
    data.
    """
    place = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5)} if beside else {"loc": "best"}
    axes.legend(frameon=False, fontsize=9.5, title=title or None, **place)
    return axes


def bar_panels(
    names: Sequence[str],
    panels: Mapping[str, Sequence[float | None]],
    *,
    lower: Container[str] = (),
    width: float = 11.0,
) -> Drawing:
    """A panel a measure (its title), with a bar and its figure for each of ``names``; None is "not
    measured". ``lower`` holds the titles of those that are better when lower. ``width`` in inches.
    """
    figure, axes = new_figure(
        1, len(panels), width=width, height=1.6 + 0.36 * len(names), share_y=True
    )
    for one, (title, values) in zip(axes[0], panels.items(), strict=True):
        known = [0.0 if value is None else value for value in values]
        reach = max([*known, 0.05])
        one.barh(range(len(names)), known, color=VERMILION if title in lower else BLUE, height=0.65)
        for place, value in enumerate(values):
            words = "not measured" if value is None else f"{value:.2f}"
            at = (value or 0.0) + 0.03 * reach
            one.text(at, place, words, va="center", fontsize=9, color="#333333")
        one.set_xlim(min([*known, 0.0]), 1.25 * reach)
        one.set_yticks(range(len(names)), names)
        one.grid(axis="y", visible=False)
        label(one, title=title, x=f"{'lower' if title in lower else 'higher'} is better", y="")
    axes[0, 0].invert_yaxis()
    return figure
