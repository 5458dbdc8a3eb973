"""The retention matrix by hand."""

import pytest

from fledgling.facts.measuring.forgetting import (
    backward_transfer,
    forgetting,
    retention_by_lag,
)

MATRIX = [
    [1.0, None, None],
    [0.5, 0.8, None],
    [0.0, 0.9, 1.0],
]


def test_backward_transfer_leaves_the_last_item_out():
    assert backward_transfer(MATRIX) == pytest.approx(((0.0 - 1.0) + (0.9 - 0.8)) / 2)
    assert backward_transfer([[1.0]]) is None


def test_forgetting_counts_from_the_best_so_far():
    recovered = [[0.2, None, None], [1.0, 0.8, None], [0.4, 0.9, 1.0]]
    assert forgetting(recovered) == pytest.approx((0.6 + 0.0) / 2)
    assert forgetting([[1.0]]) is None


def test_forgetting_leaves_out_what_was_scored_only_once():
    assert forgetting([[None, None, None], [1.0, 0.8, None], [0.5, None, 1.0]]) == pytest.approx(
        0.5
    )


def test_retention_by_lag_averages_along_the_diagonals():
    assert retention_by_lag(MATRIX) == pytest.approx([(1.0 + 0.8 + 1.0) / 3, (0.5 + 0.9) / 2, 0.0])


def test_items_without_a_score_are_left_out():
    """A fact that has no direct probe has no score at all."""
    matrix = [[None, None, None], [None, 1.0, None], [None, 0.5, 1.0]]
    assert backward_transfer(matrix) == pytest.approx(-0.5)
    assert forgetting(matrix) == pytest.approx(0.5)
    assert retention_by_lag(matrix) == pytest.approx([1.0, 0.5])
