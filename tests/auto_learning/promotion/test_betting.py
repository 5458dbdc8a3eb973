import numpy as np
import pytest

from fledgling.auto_learning.promotion.betting import (
    Past,
    area_means,
    confidence_sequence,
    lay_bets,
    log_capital,
    log_capital_below,
    past_of,
    running_mean,
)
from fledgling.core.layers import override

PAST = Past(0.8, 0.1, 10.0)


def draw(generator, tasks, champion, challenger, share=0.5):
    who = generator.random(tasks) < share
    scores = (generator.random(tasks) < np.where(who, challenger, champion)).astype(float)
    return scores, who, np.full(tasks, share)


def test_a_centred_score_has_the_difference_as_its_mean_at_any_share():
    """The identity the whole test rests on, with the probabilities written out."""
    for share, centre, champion, challenger in ((0.5, 0.7, 0.6, 0.8), (0.1, 0.3, 0.9, 0.2)):
        expected = sum(
            chance * (share if ours else 1 - share) * z
            for ours, rate in ((True, challenger), (False, champion))
            for score, chance in ((1.0, rate), (0.0, 1 - rate))
            for z in [(score - centre) * (1 / share if ours else -1 / (1 - share))]
        )
        assert expected == pytest.approx(challenger - champion)


def test_bets_are_laid_before_the_score_is_known():
    """Changing a score changes nothing that the stake on it, or on any task before, rests on."""
    generator = np.random.default_rng(0)
    scores, who, shares = draw(generator, 50, 0.8, 0.8)
    other = scores.copy()
    other[30] = 1.0 - other[30]
    one, two = lay_bets(scores, who, shares, PAST), lay_bets(other, who, shares, PAST)
    for name in ("spread", "lowest", "highest"):
        assert (getattr(one, name)[:31] == getattr(two, name)[:31]).all()
        assert (getattr(one, name)[31:] != getattr(two, name)[31:]).any()
    assert (one.z[:30] == two.z[:30]).all()


def test_the_capital_is_fair_when_nothing_differs(section):
    """By hand over all 2⁶ courses of three tasks: the expected capital is exactly 1."""
    rate, share, total = 0.7, 0.3, 0.0
    for course in range(4**3):
        digits = [(course // 4**place) % 4 for place in range(3)]
        who = np.array([digit >= 2 for digit in digits])
        scores = np.array([float(digit % 2) for digit in digits])
        chance = np.prod(np.where(who, share, 1 - share) * np.where(scores > 0, rate, 1 - rate))
        bets = lay_bets(scores, who, np.full(3, share), PAST)
        total += chance * np.exp(log_capital(bets, section.betting)[-1])
    assert total == pytest.approx(1.0)


def test_the_capital_never_goes_broke(section):
    """The worst course there is: every task of the challenger fails, every other succeeds."""
    who = np.arange(400) % 2 == 0
    scores = np.where(who, 0.0, 1.0)
    for share in (0.1, 0.5, 0.9):
        bets = lay_bets(scores, who, np.full(400, share), PAST)
        assert (bets.z >= bets.lowest - 1e-12).all() and (bets.z <= bets.highest + 1e-12).all()
        assert np.isfinite(log_capital(bets, section.betting)).all()


def test_it_sees_a_difference_and_on_which_side(section):
    generator = np.random.default_rng(1)
    scores, who, shares = draw(generator, 2000, 0.7, 0.9)
    bets = lay_bets(scores, who, shares, PAST)
    assert log_capital(bets, section.betting)[-1] > np.log(1000)
    assert log_capital_below(bets, section.betting)[-1] < 0


def test_many_tests_at_once_are_the_same_as_one_by_one(section):
    generator = np.random.default_rng(2)
    scores, who, shares = draw(generator, (3, 200), 0.7, 0.8)
    together = log_capital(lay_bets(scores, who, shares, PAST), section.betting)
    for place in range(3):
        alone = lay_bets(scores[place], who[place], shares[place], PAST)
        assert together[place] == pytest.approx(log_capital(alone, section.betting))


@pytest.mark.parametrize(("share", "gap"), [(0.5, 0.0), (0.1, 0.0), (0.5, 0.1)])
def test_the_confidence_sequence_holds_at_all_times_at_once(section, share, gap):
    """In 300 tests the truth is outside at any time at most as often as stated, with the slack of
    three standard errors of the count.
    """
    generator = np.random.default_rng(3)
    missed = 0
    for _ in range(300):
        scores, who, shares = draw(generator, 300, 0.8, 0.8 + gap, share)
        bets = lay_bets(scores, who, shares, PAST)
        coarse = override(section.betting, {"interval_points": 41})
        low, high = confidence_sequence(bets, coarse, alpha_low=0.05, alpha_high=0.05)
        missed += bool((low > gap + 1e-9).any() or (high < gap - 1e-9).any())
    assert missed <= 300 * 0.1 + 3 * np.sqrt(300 * 0.1 * 0.9)


def test_the_lower_bound_passes_zero_exactly_when_the_capital_says_better(section):
    generator = np.random.default_rng(4)
    scores, who, shares = draw(generator, 600, 0.7, 0.9)
    bets = lay_bets(scores, who, shares, PAST)
    low, _ = confidence_sequence(bets, section.betting, alpha_low=0.04, alpha_high=0.1)
    proven = np.maximum.accumulate(log_capital(bets, section.betting)) >= -np.log(0.04)
    assert proven.any() and not proven.all()
    assert ((low >= 0.0) == proven).all()


def test_bounds_only_move_inwards(section):
    generator = np.random.default_rng(5)
    bets = lay_bets(*draw(generator, 500, 0.6, 0.8), PAST)
    low, high = confidence_sequence(bets, section.betting, alpha_low=0.05, alpha_high=0.05)
    assert (np.diff(low) >= 0).all() and (np.diff(high) <= 0).all() and low[-1] < high[-1]


def test_means_by_area_are_of_the_past_alone_and_shrunk_to_the_whole():
    scores, areas = np.array([1.0, 1.0, 0.0, 1.0]), np.array(["a", "b", "a", "a"])
    past = Past(0.5, 0.1, 2.0)
    overall = running_mean(scores, past)
    assert overall == pytest.approx([0.5, 2 / 3, 3 / 4, 3 / 5])
    means = area_means(scores, areas, past, area_tasks=1.0)
    # the third task is area a's second: one task of score 1 so far, and one of the overall 3/4
    assert means == pytest.approx([0.5, 2 / 3, (1.0 + 3 / 4) / 2, (1.0 + 3 / 5) / 3])


def test_areas_that_differ_shorten_the_test(section):
    generator = np.random.default_rng(6)
    areas = generator.integers(0, 2, (200, 1500))
    who = generator.random(areas.shape) < 0.5
    rates = np.where(areas == 0, 0.95, 0.15) + 0.05 * who
    scores = (generator.random(areas.shape) < rates).astype(float)
    shares = np.full(areas.shape, 0.5)
    plain = log_capital(lay_bets(scores, who, shares, PAST), section.betting)[:, -1]
    centres = area_means(scores, areas, PAST, section.betting.area_tasks)
    adjusted = log_capital(lay_bets(scores, who, shares, PAST, centres), section.betting)[:, -1]
    assert adjusted.mean() > 1.5 * plain.mean()


def test_the_past_counts_the_guess_as_a_few_tasks(section):
    betting = override(section.betting, {"past_mean": 0.5, "past_variance": 0.2, "past_tasks": 2})
    past = past_of(np.array([1.0, 1.0, 1.0]), betting)
    assert past.tasks == 5
    assert past.mean.item() == pytest.approx(4 / 5)
    assert past.variance.item() == pytest.approx((3 * 0.04 + 0.2 * 2) / 5)
