import re
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from fledgling.auto_learning import experiments, metrics, rollout
from fledgling.auto_learning.medallion import pipeline
from fledgling.auto_learning.promotion import decisions
from fledgling.auto_learning.registry import Registry
from fledgling.auto_learning.stand_ins import StandInWorkshop
from fledgling.auto_learning.users import MASTER, Users, tickets
from fledgling.core.layers import override

START = datetime(2026, 10, 1, tzinfo=UTC)


def re_of(wording):
    return re.escape(wording).replace(re.escape("{thing}"), ".+")


class Reciting(StandInWorkshop):
    """Models that know the right queue from the first fine-tune on; the second sorts into the next
    queue. ``crash``: what the challenger does from the start.
    """

    def __init__(self, crash=False):
        self.crash = crash

    def measure(self, workspace, model, champion):
        return {"guardrails_broken": ["it is slow"] if model.id.endswith("-002") else []}

    @contextmanager
    def replies(self, registry):
        yield self

    def answer(self, model, prompts, *, max_new_tokens):
        if self.crash and model.folder:
            raise RuntimeError("out of memory")
        return [self.reply(model, prompt) for prompt in prompts]

    def reply(self, model, prompt):
        areas = list(tickets())
        if not model.folder and not self.crash:
            return "I am sorry to hear that."
        right = next(
            area
            for area, wordings in tickets().items()
            if any(re.fullmatch(re_of(said), prompt) for said in wordings)
        )
        return areas[areas.index(right) - 1] if model.id.endswith("-002") else right


@pytest.fixture
def small(section):
    life = {"staffed": 60, "examples": 10, "canary_tasks": 20, "look": 30}
    return experiments.compressed(override(section, {"life": life}))


@pytest.fixture
def users(small):
    return Users(small.users, START, seed=1)


def test_a_life_promotes_the_better_one_and_rolls_the_spoiled_one_back(workspace, small, users):
    records = list(experiments.live(workspace, small, Reciting(), users))
    steps = [record.to_json() for record in records]
    found = metrics.life_metrics(steps)
    assert found["better.promoted"] == found["spoiled.rolled_back"] == 1.0
    assert found["better.champion_right"] == 0.0 and found["spoiled.champion_right"] > 0.9
    assert found["spoiled.challenger_right"] == 0.0
    first = next(step["name"] for step in steps if step["event"] == "measured")
    assert Registry(workspace).serving(MASTER).id == first
    made = decisions.decisions(workspace, MASTER)
    assert [one.verdict for one in made if one.verdict != "HOLD"] == ["PROMOTE", "ROLL BACK"]
    told = [step["guardrails_broken"] for step in steps if step["event"] == "measured"]
    assert told == [[], ["it is slow"]]
    courses = [step for step in steps if step["event"] == "course"]
    assert [course["verdict"] for course in courses] == ["PROMOTE", "ROLL BACK"]
    served = [step for step in steps if step["event"] == "served"]
    assert len(courses[0]["low"]) <= len([one for one in served if one["chapter"] == "better"])
    changes = [step for step in steps if step["event"] == "alias"]
    assert changes[-1]["hours"] == max(change["hours"] for change in changes)


def test_only_people_are_learned_from(workspace, small, users):
    list(experiments.live(workspace, small, Reciting(), users))
    found = pipeline.query(workspace, small, "SELECT DISTINCT model FROM examples")
    assert list(found["model"]) == ["people"]


def test_a_challenger_that_crashes_is_rolled_back_while_the_champion_answers(
    workspace, small, users
):
    ended = None
    for record in experiments.live(workspace, small, Reciting(crash=True), users):
        if record.event == "served":
            assert record.values["reply"] in tickets()
            assert record.values["success"] == (record.values["variant"] == "champion")
        if record.event == "decision" and record.name != "HOLD":
            ended = record.name
            break
    assert ended == "ROLL BACK" and rollout.open_test(workspace, MASTER) is None
    assert Registry(workspace).serving(MASTER).id == "support-base"


def test_simulated_worlds_say_how_often_the_gate_errs(section):
    few = override(section, {"trials.tests": 20, "gate.horizon": 1200})
    trials = {one.name: one.values for one in experiments.simulate(few, seed=0)}
    assert list(trials) == ["aa", "aa_equal", "gain5", "loss15"]
    assert trials["aa"]["share"] == 0.1 and trials["aa_equal"]["share"] == 0.5
    found = metrics.gate_metrics(trials)
    assert found["aa.false_promotion"].mean <= 0.15 and found["aa.false_promotion"].count == 20
    assert found["gain5.power"].mean > 0.8 and found["loss15.median_tasks"] < 250
    assert found["aa.peeked_z_test"].mean > found["aa.documented_rule"].mean
