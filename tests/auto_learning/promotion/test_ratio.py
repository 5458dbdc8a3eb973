import math

import numpy as np
import pytest

from fledgling.auto_learning.promotion.ratio import log_evidence

CHALLENGER = np.array([True, False, False, True, False] * 8)


def test_it_is_the_ratio_of_two_likelihoods_by_hand():
    """Two tasks, both the challenger's, planned at a half: the mixture says 1/2 · (k/2+1)/(k+1),
    the plan 1/4.
    """
    found = log_evidence(np.array([True, True]), np.array([0.5, 0.5]), concentration=2.0)
    assert math.exp(found[-1]) == pytest.approx((1 / 2 * 2 / 3) / (1 / 4))


def test_a_sound_assignment_is_seldom_called_skewed():
    generator = np.random.default_rng(0)
    challenger = generator.random((2000, 1000)) < 0.1
    found = log_evidence(challenger, np.full(challenger.shape, 0.1), concentration=100.0)
    assert (found >= math.log(100)).any(1).mean() <= 0.01 + 3 * math.sqrt(0.01 * 0.99 / 2000)


def test_lost_outcomes_of_one_variant_are_noticed():
    generator = np.random.default_rng(1)
    challenger = generator.random(3000) < 0.5
    arrived = ~challenger | (generator.random(3000) < 0.8)  # a fifth of the challenger's is lost
    found = log_evidence(challenger[arrived], np.full(arrived.sum(), 0.5), concentration=100.0)
    assert found.max() >= math.log(1000)


def test_stages_with_different_shares_multiply():
    first = log_evidence(CHALLENGER, np.full(40, 0.1), 100.0)[-1]
    second = log_evidence(CHALLENGER, np.full(40, 0.5), 100.0)[-1]
    both = log_evidence(np.concatenate([CHALLENGER, CHALLENGER]), np.repeat([0.1, 0.5], 40), 100.0)
    assert both[-1] == pytest.approx(first + second)


def test_it_is_the_statistic_of_the_published_package():
    """Figures of savvi 0.3.1, ``Multinomial(alpha=0.05, theta_0=[0.5, 0.5], k=100)`` fed the tasks
    one by one.
    """
    found = log_evidence(CHALLENGER, np.full(40, 0.5), concentration=100.0)
    assert found[[0, 9, 39]] == pytest.approx(
        [0.0, -0.0295332136011741, 0.061388730517516046], abs=1e-12
    )


def test_against_the_published_package_itself():
    multinomial = pytest.importorskip("savvi.multinomial")
    theirs = multinomial.Multinomial(0.05, np.array([0.1, 0.9]), k=100)
    found = log_evidence(CHALLENGER, np.full(40, 0.1), concentration=100.0)
    for place, ours in enumerate(CHALLENGER):
        theirs.update(np.array([int(ours), int(not ours)]))
        assert math.log(theirs.odds) == pytest.approx(found[place], abs=1e-9)
