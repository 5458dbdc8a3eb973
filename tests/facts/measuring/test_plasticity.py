"""Speed of learning on loss curves by hand."""

import pytest

from fledgling.facts.measuring.plasticity import (
    adaptation_speed,
    improvement,
    recent_loss,
    updates_to_learn,
)


def test_updates_to_learn_counts_updates_before_the_loss_was_low():
    assert updates_to_learn([3.0, 1.0, 0.4, 0.1], 0.5) == 2
    assert updates_to_learn([0.4], 0.5) == 0
    assert updates_to_learn([0.5, 0.5], 0.5) is None
    assert updates_to_learn([], 0.5) is None


def test_improvement_is_the_share_of_the_first_loss_that_is_gone():
    assert improvement([4.0, 9.0, 1.0]) == pytest.approx(0.75)
    assert improvement([1.0, 2.0]) == pytest.approx(-1.0)
    assert improvement([4.0]) is None
    assert improvement([0.0, 1.0]) is None


def test_adaptation_speed_is_the_mean_fall_an_update():
    assert adaptation_speed([4.0, 2.0, 1.0]) == pytest.approx(1.5)
    assert adaptation_speed([4.0]) is None


def test_recent_loss_looks_at_the_window_only():
    assert recent_loss([100.0, 1.0, 3.0], window=2) == 2.0
    assert recent_loss([1.0, 3.0]) == 2.0
    assert recent_loss([]) is None
