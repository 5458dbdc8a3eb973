from fledgling.core.records import Turn
from fledgling.facts.learner import GateReaders, OnlineLearner
from fledgling.memory import figures
from fledgling.memory.corrections import CorrectionMemory
from fledgling.memory.drift import drifting
from fledgling.memory.experiments import (
    compare_routers,
    correct_and_ask,
    forgetting_study,
    time_lookups,
    time_recognition,
)
from fledgling.models.tiny import WordEmbedder, WordOverlap, tiny_model
from fledgling.settings import load_config


def test_all_arms_make_as_many_updates_and_forgetting_is_counted_from_the_best(
    section, small, told
):
    config = load_config(recipe="shared", overrides=small)
    loaded, readers = tiny_model(), GateReaders(WordEmbedder(), WordOverlap())

    def build():
        return OnlineLearner(loaded, config.facts, config.language, readers=readers)

    turns = [Turn(text) for text in told]
    arms = ["none", "deep", "creative", "both"]
    records = list(forgetting_study(build, section.consolidation, turns, arms))
    assert [record.name for record in records[::3]] == arms
    assert len({record.values["updates"] for record in records if record.step == 3}) == 1
    assert all(record.values["forgotten"] >= 0.0 for record in records)
    assert [record.values["forgotten"] for record in records if record.step == 1] == [0.0] * 4
    drawn = figures.plot_forgetting(records).axes[0]
    assert len(drawn.lines) == 4


def test_a_correction_is_timed_and_asked_again(section):
    memory = CorrectionMemory(":memory:", WordEmbedder(), section.corrections)
    records = list(correct_and_ask(tiny_model(), memory, [("Where is it?", "here")]))
    assert records[0].values["added_ms"] > 0 and memory.counts()["live"] == 1
    assert time_lookups(memory, ["Where is it?"]) > 0 and time_recognition() > 0
    memory.close()


def test_routers_are_compared_on_the_same_streams(section):
    records = list(compare_routers([drifting(200, 1)], section.router, ["random"]))
    assert [record.name for record in records] == ["random", "always_best", "oracle"]
    assert set(records[-1].values["course"]) == {1.0}
    table = figures.routing_table(records)
    assert table.loc["oracle", "median recovery, queries"] == 50
    assert len(figures.plot_routing(records).axes[0].lines) == 4  # two routers, two marks


def test_tiers_are_drawn_with_what_they_may_take():
    axes = figures.plot_tiers({"instant": 0.005}, {"instant": 0.01}).axes[0]
    assert axes.patches[0].get_width() == 0.005 and axes.lines[0].get_xdata()[0] == 0.01
