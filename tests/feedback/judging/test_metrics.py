import pytest

from fledgling.feedback.judging.metrics import calibration, class_scores, macro_f1


def test_scores_by_hand():
    truth, found = ["a", "a", "a", "b", "c"], ["a", "a", "b", "b", "a"]
    scores = class_scores(truth, found, ["a", "b", "c"])
    assert scores["a"]["precision"] == pytest.approx(2 / 3)
    assert scores["a"]["recall"] == pytest.approx(2 / 3)
    assert scores["b"]["f1"] == pytest.approx(2 / 3)
    assert scores["c"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "count": 1}
    assert macro_f1(truth, found, ["a", "b", "c"]) == pytest.approx(4 / 9)


def test_calibration_by_hand():
    error, bins = calibration([0.9, 0.9, 0.3, 0.3], [True, False, False, False])
    assert error == pytest.approx(0.5 * 0.4 + 0.5 * 0.3)
    assert bins == [(pytest.approx(0.3), 0.0, 2), (pytest.approx(0.9), 0.5, 2)]
    assert calibration([], [])[0] == 0
