import random
import time

import pytest

from fledgling.core.layers import override
from fledgling.core.records import Turn
from fledgling.facts.flow import learn
from fledgling.facts.learner import GateReaders, OnlineLearner
from fledgling.memory.consolidation import consolidate, draw, recombined
from fledgling.models.tiny import WordEmbedder, WordOverlap, tiny_model
from fledgling.settings import load_config


@pytest.fixture
def new_learner(small, told):
    made = []

    def build(recipe="shared", **changes):
        config = load_config(recipe=recipe, overrides={**small, **changes})
        readers = GateReaders(WordEmbedder(), WordOverlap())
        learner = OnlineLearner(tiny_model(), config.facts, config.language, readers=readers)
        made.append(learner)
        for _ in learn(learner, [Turn(text) for text in told], reply=False):
            pass
        return learner

    yield build
    for learner in made:
        learner.close()


def test_both_phases_learn_within_their_updates_and_are_stored(new_learner, section):
    learner = new_learner()
    before, turns = learner.adapter.state(), learner.turns
    records = list(consolidate(learner, section.consolidation))
    assert [one.name for one in records if one.event == "kept"] == ["deep", "creative"]
    updates = [one.name for one in records if one.event == "update"]
    assert updates == ["deep"] * 3 + ["creative"]
    after = learner.adapter.state()
    assert any(not before[name].equal(after[name]) for name in before)
    learner.resume()
    assert all(after[name].equal(learner.adapter.state()[name]) for name in after)
    assert learner.turns == turns + 2


def test_a_fault_takes_the_phase_back(new_learner, section):
    learner = new_learner()
    learner.facts = override(learner.facts, {"guard.kl_budget": 1e-9})
    before = learner.adapter.state()
    records = list(consolidate(learner, section.consolidation))
    assert "rolled_back" in [one.event for one in records]
    assert all(before[name].equal(tensor) for name, tensor in learner.adapter.state().items())


def test_it_stops_between_two_updates_and_within_its_time(new_learner, section):
    learner = new_learner()
    long = override(section.consolidation, {"deep_updates": 10_000})
    seen = []
    for record in consolidate(learner, long, lambda: len(seen) >= 3):
        seen.append(record)
    assert [one.event for one in seen] == ["update"] * 3 + ["kept"]
    short = override(long, {"seconds": 0.2, "creative_updates": 0})
    started = time.monotonic()
    assert list(consolidate(learner, short))[-1].event == "kept"
    assert time.monotonic() - started < 30


def test_a_broken_off_phase_has_not_happened(new_learner, section):
    learner = new_learner()
    before = learner.adapter.state()
    steps = consolidate(learner, section.consolidation)
    next(steps)
    steps.close()
    assert all(before[name].equal(tensor) for name, tensor in learner.adapter.state().items())


def test_facts_of_their_own_weights_need_none(new_learner, section):
    assert list(consolidate(new_learner("per_fact"), section.consolidation)) == []


def test_what_weighs_more_is_drawn_more_often():
    rng = random.Random(0)
    drawn = [draw(["a", "b", "c"], [8.0, 1.0, 1.0], 1, rng)[0] for _ in range(300)]
    assert drawn.count("a") > 200
    assert sorted(draw(["a", "b"], [1.0, 1.0], 5, rng)) == ["a", "b"]


def test_two_facts_are_asked_for_in_one_breath(new_learner):
    learner = new_learner()
    facts, rng = learner.memory.all()[:2], random.Random(0)
    rows = recombined([learner.lessons.examples(fact, rng) for fact in facts], facts, rng)
    assert len(rows) == 2
    for row in rows:
        assert all(fact.statement in row.answer for fact in facts)
