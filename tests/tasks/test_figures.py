"""Figures of several tasks: drawn from plain records, labelled, with the numbers they were
given.
"""

import numpy as np
import pytest

from fledgling.tasks import figures as figures


def epoch(
    name: str, updates: int, reading: float, maths: float, conflict: float | None = None
) -> dict:
    return {
        "step": updates,
        "event": "epoch",
        "name": name,
        "updates": updates,
        "conflict": conflict,
        "accuracy": {"reading": reading, "maths": maths},
        "loss": {"reading": 1 - reading, "maths": 1 - maths},
    }


STEPS = [
    epoch("a", 10, 0.5, 0.1, 0.2),
    epoch("a", 20, 0.9, 0.3, -0.1),
    epoch("b", 10, 0.8, 0.1),
    epoch("b", 20, 0.2, 0.9),
]


def efficiency(name: str, share: float, accuracy: dict[str, float]) -> dict:
    return {
        "event": "efficiency",
        "name": name,
        "accuracy": accuracy,
        "train_examples": {task: int(share * 1000) for task in accuracy},
    }


EFFICIENCY = [
    efficiency(name, share, dict.fromkeys(tasks, share))
    for share in (0.1, 1.0)
    for name, tasks in (
        ("together", ["reading", "maths"]),
        ("alone.reading", ["reading"]),
        ("alone.maths", ["maths"]),
    )
]

FIGURES = {
    "learning": lambda: figures.plot_learning(STEPS, "a"),
    "retention": lambda: figures.plot_retention(STEPS, ["a", "b"], ["A", "B"]),
    "skills": lambda: figures.plot_skills(
        {"reading": {"first": 1.0, "last": 0.9}, "maths": {"add": 0.8}}
    ),
    "conflict": lambda: figures.plot_conflict(STEPS, ["a"]),
    "comparison": lambda: figures.plot_comparison(
        [{"name": "x", "accuracy": {"reading": 0.9, "maths": 0.4}}]
    ),
    "transfer": lambda: figures.plot_transfer(
        {"reading": (0.01, -0.02, 0.04), "maths": (0.0, float("nan"), float("nan"))}, -0.01
    ),
    "efficiency": lambda: figures.plot_efficiency(EFFICIENCY),
    "edges": lambda: figures.plot_edges(["self", "far"], np.array([[1.0, -2.0], [0.5, 0.1]])),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_titles_and_axis_labels(name: str) -> None:
    figure = FIGURES[name]()
    panels = [one for one in figure.axes if one.get_title(loc="left")]
    assert panels and any(one.get_xlabel() for one in panels)
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_learning_shows_the_accuracies_it_was_given() -> None:
    lines = figures.plot_learning(STEPS, "a").axes[0].get_lines()
    assert {line.get_label(): list(line.get_ydata()) for line in lines} == {
        "reading": [0.5, 0.9],
        "maths": [0.1, 0.3],
    }


def test_retention_shows_a_row_a_task_and_a_column_an_epoch() -> None:
    image = figures.plot_retention(STEPS, ["b"], ["B"]).axes[0].get_images()[0]
    assert image.get_array().tolist() == [[0.8, 0.2], [0.1, 0.9]]


def test_conflict_leaves_out_epochs_without_measurement() -> None:
    figure = figures.plot_conflict([*STEPS, epoch("a", 30, 1.0, 1.0)], ["a"])
    assert list(figure.axes[0].get_lines()[0].get_ydata()) == [0.2, -0.1]


def test_efficiency_averages_seeds() -> None:
    more = [*EFFICIENCY, efficiency("together", 0.1, {"reading": 0.3, "maths": 0.1})]
    line = figures.plot_efficiency(more).axes[0].get_lines()[0]
    assert line.get_ydata() == pytest.approx([0.2, 1.0])
