import math

import numpy as np
import pytest

from fledgling.auto_learning.promotion.documented import promotes_by_rule, promotes_by_z
from fledgling.auto_learning.promotion.trials import NEVER, Stops, World, run_trials


def stops(world, section, tests=200, horizon=1500, seed=3):
    found = list(run_trials(world, section, tests=tests, horizon=horizon, seed=seed))
    promoted = np.concatenate([one.gate_promotes for one in found])
    rolled_back = np.concatenate([one.gate_rolls_back for one in found])
    by_z = np.concatenate([one.by_z for one in found])
    return np.isfinite(promoted), np.isfinite(rolled_back), np.isfinite(by_z)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_challenger_that_is_no_better_is_seldom_promoted(section, share):
    promoted, rolled_back, by_z = stops(World(0.925, 4.1, share=share), section)
    slack = 3 * math.sqrt(0.05 * 0.95 / 200)
    assert promoted.mean() <= section.gate.alpha + slack
    assert rolled_back.mean() <= section.gate.alpha_loss + slack
    assert by_z.mean() > 0.1  # what peeking at a z-test does


def test_a_better_one_is_promoted_and_a_worse_one_rolled_back(section):
    better = stops(World(0.925, 4.1, completion_gain=0.05), section, tests=60)
    worse = stops(World(0.925, 4.1, completion_gain=-0.15), section, tests=60, horizon=600)
    assert better[0].mean() > 0.8 and better[1].mean() < 0.1
    assert worse[1].mean() > 0.95 and worse[0].mean() == 0.0


def test_better_quality_at_equal_completion_is_seen_too(section):
    promoted, *_ = stops(World(0.925, 3.5, quality_gain=1.0), section, tests=40)
    assert promoted.mean() > 0.9


def test_whichever_comes_first_counts():
    found = Stops(
        promoted=np.array([100.0, 300.0, NEVER]),
        rolled_back=np.array([200.0, 200.0, NEVER]),
        by_rule=np.zeros(3),
        by_z=np.zeros(3),
    )
    assert found.gate_promotes.tolist() == [100.0, NEVER, NEVER]
    assert found.gate_rolls_back.tolist() == [NEVER, 200.0, NEVER]


def test_trials_are_the_same_for_the_same_seed(section):
    one, two, other = (stops(World(0.9, 4.1), section, 20, 300, seed) for seed in (1, 1, 2))
    assert (one[2] == two[2]).all() and (one[2] != other[2]).any()


def test_the_documented_rule_wants_both_gains_and_enough_tasks(section):
    challenger = np.arange(400) % 2 == 0
    completed = np.where(challenger, 1.0, np.arange(400) % 20 != 1)  # 90% of the champion's
    quality = np.where(challenger, 4.4, 4.1)
    promoted = promotes_by_rule(challenger, completed, quality, section.documented)
    assert not promoted[:199].any() and promoted[199:].all()
    slightly = promotes_by_rule(
        challenger, completed, quality - 0.15 * challenger, section.documented
    )
    assert not slightly.any()
    unrated = np.where(np.arange(400) < 390, quality, np.nan)
    assert promotes_by_rule(challenger, completed, unrated, section.documented)[-1]


def test_the_z_test_by_hand():
    """Ten tasks each, nine against five done: z = .4 / √(.09/10 + .25/10) = 2.17."""
    challenger = np.repeat([True, False], 10)
    scores = np.array([1.0] * 9 + [0.0] + [1.0] * 5 + [0.0] * 5)
    assert promotes_by_z(challenger, scores, alpha=0.02, tasks=10)[-1]
    assert not promotes_by_z(challenger, scores, alpha=0.01, tasks=10)[-1]
    assert not promotes_by_z(challenger, scores, alpha=0.02, tasks=11)[-1]
