"""Figures of several tasks: drawn from plain records, labelled, with the numbers they were
given.
"""

import numpy as np
import pytest

from fledgling.core.statistics import Interval
from fledgling.tasks import figures
from fledgling.tasks.metrics import EpochRecord


def epoch(
    run: str,
    updates: int,
    accuracy: dict[str, float],
    conflict: float | None = None,
    examples: int = 0,
) -> EpochRecord:
    return EpochRecord(
        run=run,
        seed=0,
        epoch=updates,
        phase=0,
        trained=(),
        train_loss={},
        accuracy=accuracy,
        loss={task: 1 - value for task, value in accuracy.items()},
        skills={},
        levels={},
        skill_losses={},
        level_losses={},
        conflict=conflict,
        train_examples=dict.fromkeys(accuracy, examples),
        updates=updates,
        examples=0,
        seconds=0.0,
        seconds_training=0.0,
    )


STEPS = [
    epoch("a", 10, {"reading": 0.5, "maths": 0.1}, 0.2),
    epoch("a", 20, {"reading": 0.9, "maths": 0.3}, -0.1),
    epoch("b", 10, {"reading": 0.8}),
    epoch("b", 20, {"reading": 0.2, "maths": 0.9}),
]
EFFICIENCY = [
    epoch(f"efficiency.{run}", 1, dict.fromkeys(tasks, share), examples=int(share * 1000))
    for share in (0.1, 1.0)
    for run, tasks in (
        ("together", ["reading", "maths"]),
        ("alone.reading", ["reading"]),
        ("alone.maths", ["maths"]),
    )
]
ONE_SEED = Interval(0.0, float("nan"), float("nan"), 1)

FIGURES = {
    "learning": lambda: figures.plot_learning(STEPS, "a"),
    "retention": lambda: figures.plot_retention(STEPS, ["a", "b"], ["A", "B"]),
    "skills": lambda: figures.plot_skills(
        {"reading": {"first": 1.0, "last": 0.9}, "maths": {"add": 0.8}}
    ),
    "conflict": lambda: figures.plot_conflict(STEPS, ["a"]),
    "transfer": lambda: figures.plot_transfer(
        {"reading": Interval(0.01, -0.02, 0.04, 5), "maths": ONE_SEED}, -0.01
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
    shown = image.get_array().filled(-1.0).tolist()
    assert shown == [[0.8, 0.2], [-1.0, 0.9]], "a task without a head yet is left blank"


def test_conflict_leaves_out_epochs_without_measurement() -> None:
    figure = figures.plot_conflict([*STEPS, epoch("a", 30, {"reading": 1.0, "maths": 1.0})], ["a"])
    assert list(figure.axes[0].get_lines()[0].get_ydata()) == [0.2, -0.1]


def test_efficiency_averages_seeds() -> None:
    more = [
        *EFFICIENCY,
        epoch("efficiency.together", 1, {"reading": 0.3, "maths": 0.1}, examples=100),
    ]
    line = figures.plot_efficiency(more).axes[0].get_lines()[0]
    assert line.get_ydata() == pytest.approx([0.2, 1.0])
