"""Before deployment: prediction, choice of areas, and the view of quality, speed and cost."""

import numpy as np
import pytest

from fledgling.auto_learning import areas, prediction
from fledgling.auto_learning.medallion import pipeline
from fledgling.auto_learning.pareto import Choice, dominates, frontier


def test_a_prediction_by_hand(section):
    """Ten pairs, six won: with one pseudo-pair won and one lost the mean gain is 6/12."""
    champion, challenger = np.zeros(10), np.array([1.0] * 6 + [0.0] * 4)
    found = prediction.predict(champion, challenger, section.prediction)
    pairs = np.array([1.0] * 6 + [0.0] * 4 + [1.0, -1.0])
    error = np.hypot(pairs.std(ddof=1) / np.sqrt(12), section.prediction.live_spread)
    assert found.gain == pytest.approx(0.5) and found.error == pytest.approx(error)
    assert found.tasks == 10 and 0.99 < found.probability < 1.0 and found.worth_it


def test_without_a_difference_it_is_even_and_never_quite_sure(section):
    same = np.ones(50)
    assert prediction.predict(same, same, section.prediction).probability == pytest.approx(0.5)
    worse = prediction.predict(same, 0.0 * same, section.prediction)
    assert 0.0 < worse.probability < 1e-6 and not worse.worth_it


def test_probabilities_are_worth_their_number(section):
    said, better = prediction.rehearse(
        section.prediction, candidates=1500, tasks=150, generator=np.random.default_rng(0)
    )
    bins = prediction.reliability(said, better, section.prediction)
    assert sum(one.count for one in bins) == 1500
    assert prediction.calibration_error(bins) < 0.08
    skipped = said < section.prediction.skip_below
    assert better[skipped].mean() < 0.2 < better[~skipped].mean()


def test_calibration_error_by_hand(section):
    bins = prediction.reliability(
        [0.05, 0.05, 0.95, 1.0], [False, True, True, True], section.prediction
    )
    assert [one.count for one in bins] == [2, 2]
    assert prediction.calibration_error(bins) == pytest.approx((0.45 + 0.025) / 2)


def test_one_more_example_goes_where_it_saves_most(section):
    tasks = {"a": 500, "b": 500, "c": 20}
    scores = {"a": 450.0, "b": 300.0, "c": 5.0}
    ranked = areas.rank_areas(tasks, scores, {"a": 100, "b": 100, "c": 100}, section.areas)
    assert [area.name for area in ranked] == ["b", "a", "c"]
    found = {area.name: area for area in ranked}
    assert found["b"].loss == pytest.approx(0.4) and found["b"].highest_loss > 0.4
    worth = found["b"].share * found["b"].highest_loss / (2 * (section.areas.head_start + 100))
    assert found["b"].priority == pytest.approx(worth)
    saturated = areas.rank_areas(tasks, scores, {"a": 0, "b": 5000, "c": 0}, section.areas)
    assert saturated[0].name == "a"


def test_an_area_of_which_little_is_known_is_looked_into(section):
    found = areas.rank_areas(
        {"known": 1000, "new": 10}, {"known": 900.0, "new": 9.0}, {}, section.areas
    )
    losses = {area.name: area.highest_loss for area in found}
    assert losses["new"] > 2 * losses["known"]


def test_ranking_beats_simpler_ways_of_collecting(section):
    def loss(policy):
        runs = [
            areas.rehearse(
                policy,
                shares=(0.7, 0.2, 0.05, 0.05),
                losses=(0.4, 0.1, 0.3, 0.1),
                budget=150,
                section=section.areas,
                generator=np.random.default_rng(seed),
            )
            for seed in range(5)
        ]
        return np.mean(runs)

    ranked = loss("ranked")
    assert ranked < loss("uniform") and ranked < loss("worst")


def test_areas_and_edge_cases_come_from_gold(workspace, section, write_lines, outcome, now):
    assert areas.next_areas(workspace, section, "support") == []
    write_lines(
        "a",
        *[outcome(n, area="billing", quality=4.9) for n in range(20)],
        *[outcome(n, area="login", success=False) for n in range(20, 40)],
        outcome(50, area="login", quality=3.8),
        outcome(51, area="billing", quality=None),
    )
    pipeline.run(workspace, section, now)
    assert [area.name for area in areas.next_areas(workspace, section, "support")] == [
        "login",
        "billing",
    ]
    found = areas.edge_cases(workspace, section, "support", count=5)
    assert list(found["task_id"]) == ["task-50", "task-51"]


def test_what_nothing_beats_in_all_three():
    fast = Choice("fast", 0.7, 1.0, 0.1)
    good = Choice("good", 0.9, 3.0, 0.3)
    middle = Choice("middle", 0.8, 2.0, 0.2)
    poor = Choice("poor", 0.7, 2.0, 0.2)
    twin = Choice("twin", 0.9, 3.0, 0.3)
    assert [one.model for one in frontier([fast, good, middle, poor, twin])] == [
        "fast",
        "good",
        "middle",
        "twin",
    ]
    assert dominates(middle, poor) and not dominates(good, twin)
