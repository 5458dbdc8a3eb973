"""Speed of learning on loss curves by hand."""

from fledgling.facts.measuring.plasticity import (
    updates_to_learn,
)


def test_updates_to_learn_counts_updates_before_the_loss_was_low():
    assert updates_to_learn([3.0, 1.0, 0.4, 0.1], 0.5) == 2
    assert updates_to_learn([0.4], 0.5) == 0
    assert updates_to_learn([0.5, 0.5], 0.5) is None
    assert updates_to_learn([], 0.5) is None
