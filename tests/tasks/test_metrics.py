"""Peak, final, forgetting, groups, by hand."""

import numpy as np
import pytest

from fledgling.tasks.metrics import accuracy_by, forgetting, task_metrics, transfer


def test_groups_in_order_of_appearance() -> None:
    assert accuracy_by(["b", "a", "b", "b"], np.array([1, 0, 0, 1])) == {
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
    assert transfer({"math": 0.9}, {"math": 0.95, "other": 1.0}) == {
        "transfer.math": pytest.approx(-0.05)
    }
