import csv

import numpy as np
import pytest

from fledgling.core.errors import DataError
from fledgling.memory.drift import drifting, read_table, recovery, route
from fledgling.memory.routers import Restarting, new_router
from fledgling.memory.routing import SpikingRouter
from fledgling.models.tiny import WordEmbedder

SEEDS = range(200, 203)


@pytest.mark.parametrize("name", ["stdp", "knn", "logistic"])
def test_every_router_learns_and_none_beats_the_oracle(section, name):
    streams = [drifting(400, seed) for seed in SEEDS]
    earned = {
        who: np.mean([route(one, who, section.router, 0).reward for one in streams])
        for who in (name, "random", "oracle")
    }
    assert earned["random"] + 0.05 < earned[name] <= earned["oracle"]


def test_reward_alone_moves_the_weights_and_only_of_the_model_asked(section):
    router = SpikingRouter(["a", "b"], 8, section.router, np.random.default_rng(0))
    before = router.weights.copy()
    chosen = router.models.index(router.choose(np.ones(8)))
    assert np.array_equal(router.weights, before)
    router.reward(1.0)
    assert np.array_equal(router.weights[1 - chosen], before[1 - chosen])
    assert not np.array_equal(router.weights[chosen], before[chosen])
    assert router.weights.min() >= 0.0 and router.weights.max() <= 1.0


def test_a_router_is_the_same_for_the_same_seed(section):
    one, two = (route(drifting(200, 5), "stdp", section.router, 3) for _ in range(2))
    assert np.array_equal(one.expected, two.expected)


def test_a_fall_of_the_reward_starts_it_anew_and_noise_does_not(section):
    rng = np.random.default_rng(0)
    router = new_router("random", ["a"], 2, section.router, rng)
    assert isinstance(router, Restarting)
    for value in (rng.random(500) < 0.9).astype(float):
        router.reward(value)
    assert router.restarts == 0
    for value in (rng.random(60) < 0.4).astype(float):
        router.reward(value)
    assert router.restarts >= 1


def test_recovery_by_hand():
    best = np.ones(300)
    expected = np.concatenate([np.ones(100), np.full(60, 0.5), np.ones(140)])
    # 95% of best over 50 queries: at most five of the bad ones among them
    assert recovery(expected, best, 100) == 60 + 45
    assert recovery(np.full(300, 0.5), best, 100) is None


def test_a_table_is_read_and_prices_are_taken_off(tmp_path):
    path = tmp_path / "table.csv"
    with path.open("w", newline="") as file:
        rows = [["prompt", "s_correct", "l_correct"], ["one", "True", "True"]]
        csv.writer(file).writerows([*rows, ["two", "False", "True"]])
    stream = read_table(path, WordEmbedder(), {"l": 0.25}, 0)
    assert stream.models == ("s", "l") and stream.change == 2
    assert sorted(map(tuple, stream.outcomes.tolist())) == [(0.0, 0.75), (1.0, 0.75)]
    path.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="_correct"):
        read_table(path, WordEmbedder(), {}, 0)
