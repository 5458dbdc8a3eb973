"""Peak, final, forgetting, groups, by hand."""

import numpy as np
import pytest

from fledgling.tasks.metrics import (
    EpochRecord,
    forgetting,
    histories,
    lost,
    mean_by,
    seconds_until,
    task_metrics,
)


def epoch(run: str, number: int, accuracy: dict[str, float]) -> EpochRecord:
    return EpochRecord(
        run=run,
        seed=0,
        epoch=number,
        phase=0,
        trained=tuple(accuracy),
        train_loss=accuracy,
        accuracy=accuracy,
        loss=accuracy,
        skills={},
        levels={},
        skill_losses={},
        level_losses={},
        conflict=None,
        train_examples={},
        updates=10 * number,
        examples=100 * number,
        seconds=1.25 * number,
        seconds_training=float(number),
    )


def test_groups_in_order_of_appearance() -> None:
    assert mean_by(["b", "a", "b", "b"], np.array([1, 0, 0, 1])) == {
        "b": pytest.approx(2 / 3),
        "a": 0.0,
    }


@pytest.mark.parametrize(
    ("accuracies", "expected"),
    [
        ([0.1, 0.8, 0.4], 0.5),
        ([0.1, 0.4, 0.8], 0.0),
        ([0.0, 0.0], 0.0),
        ([0.9], 0.0),
        ([1.0, 0.0], 1.0),
    ],
)
def test_forgetting(accuracies: list[float], expected: float) -> None:
    assert forgetting(accuracies) == pytest.approx(expected)


def test_names_of_metrics() -> None:
    assert task_metrics({"math": [0.2, 0.8, 0.6]}) == {
        "accuracy.math": 0.6,
        "peak.math": 0.8,
        "forgetting.math": pytest.approx(0.25),
    }


RECORDS = [
    epoch("x", 1, {"a": 0.99}),
    epoch("y", 1, {"a": 0.0, "b": 0.1}),
    epoch("x", 2, {"a": 0.97, "b": 0.96}),
]


def test_histories_are_of_one_run_and_of_heads_that_exist() -> None:
    assert histories(RECORDS, "x") == {"a": [0.99, 0.97], "b": [0.96]}


def test_seconds_until_all_have_reached_it() -> None:
    assert seconds_until(RECORDS[1:], "x", 0.95) == 2.5
    assert seconds_until(RECORDS, "x", 0.98) == 1.25
    assert seconds_until(RECORDS, "y", 0.95) is None


def test_a_line_of_steps_says_everything() -> None:
    line = RECORDS[2].to_step().to_json()
    assert (line["step"], line["event"], line["name"]) == (2, "epoch", "x")
    assert line["accuracy"] == {"a": 0.97, "b": 0.96} and line["updates"] == 20


def test_what_is_lost_by_hand() -> None:
    before, now = np.array([1, 1, 1, 1, 0] * 20), np.array([1, 1, 0, 1, 1] * 20)
    share = lost(before > 0, now > 0)
    assert share.mean == 0.0 and share.low < 0 < share.high
    assert lost(before > 0, before > 2).mean == 1.0
    assert np.isnan(lost(before > 2, now > 0).mean)
