import json
import time
from datetime import timedelta

import pytest

from fledgling.auto_learning import rollout
from fledgling.auto_learning.events import events
from fledgling.auto_learning.outcomes import deliver
from fledgling.auto_learning.promotion import decisions
from fledgling.auto_learning.promotion.gathering import gather, stored
from fledgling.auto_learning.registry import CHALLENGER
from fledgling.auto_learning.traffic import Task, assign
from fledgling.core.errors import DataError, ModelError, RunError
from fledgling.core.layers import override


def until_decided(world, section, looks=20, **rates):
    for _ in range(looks):
        world.work(100, **rates)
        decision = rollout.check(world.workspace, section, world.master, world.now)
        if rollout.open_test(world.workspace, world.master) is None:
            return decision
    return decision


def test_a_better_challenger_becomes_champion_and_the_decision_can_be_computed_again(
    workspace, section, world
):
    world.work(100)
    rollout.deploy(workspace, section, world.model("m"), world.now)
    decision = until_decided(world, section, champion=0.7, challenger=0.99)
    assert decision.verdict == "PROMOTE"
    assert world.registry.serving("support").id == "m"
    assert world.registry.serving("support", CHALLENGER) is None
    again = decisions.replay(workspace, section, decision.id)
    assert again.same and again.finding.verdict == "PROMOTE"
    kinds = [event["event"] for event in events(workspace)]
    assert kinds.count("promoted") == 1 and "deployed" in kinds


def test_a_worse_one_is_taken_out_in_under_a_second_and_nobodys_bytes_change(
    workspace, section, world
):
    champion = world.model("good")
    world.registry.set_alias("support", "champion", champion, world.now, why="test")
    before = world.registry.folder(world.registry.get(champion))
    bytes_before = {path: path.read_bytes() for path in before.rglob("*") if path.is_file()}
    rollout.deploy(workspace, section, world.model("bad"), world.now)
    decision = until_decided(world, section, champion=0.95, challenger=0.3)
    assert decision.verdict == "ROLL BACK"
    started = time.perf_counter()
    rollout.deploy(workspace, section, "bad", world.now)
    rollout.roll_back(workspace, "support", world.now)
    assert world.registry.serving("support").id == "good"
    assert time.perf_counter() - started < 30  # the bar of a second is held in benchmarks
    assert {path: path.read_bytes() for path in before.rglob("*") if path.is_file()} == bytes_before


def test_a_replay_tells_what_has_changed(workspace, section, world):
    rollout.deploy(workspace, section, world.model("m"), world.now)
    world.work(60)
    decision = rollout.check(workspace, section, "support", world.now)
    assert decisions.replay(workspace, section, decision.id).same
    changed = override(section, {"gate.alpha": 0.01, "betting.effects": [0.1, 0.2, 0.3, 0.4]})
    assert decisions.replay(workspace, changed, decision.id).same, "the record's settings count"
    workspace.store.execute("UPDATE evidence SET completed = 1 - completed WHERE position = 3")
    found = decisions.replay(workspace, section, decision.id)
    assert not found.same and "the evidence is not what it was" in found.differences
    with pytest.raises(DataError, match="there are 1 to 1"):
        decisions.replay(workspace, section, 7)


def test_a_look_without_news_writes_nothing(workspace, section, world):
    rollout.deploy(workspace, section, world.model("m"), world.now)
    world.work(30)
    first = rollout.check(workspace, section, "support", world.now)
    assert rollout.check(workspace, section, "support", world.now) == first
    assert len(decisions.decisions(workspace, "support")) == 1
    assert rollout.check(workspace, section, "nobody", world.now) is None


def test_the_share_grows_after_the_canary(workspace, section, world):
    rollout.deploy(workspace, section, world.model("m"), world.now)
    assert rollout.open_test(workspace, "support").share == section.gate.canary_share
    world.work(section.gate.canary_tasks)
    rollout.check(workspace, section, "support", world.now)
    assert rollout.open_test(workspace, "support").share == section.gate.decide_share


def test_evidence_waits_for_the_next_assigned_task_and_an_overdue_one_has_failed(
    workspace, section, world
):
    """A task that hangs holds back those after it, so that a slow failure is never left out."""
    test = rollout.deploy(workspace, section, world.model("m"), world.now)
    lost = Task("lost", "support", "Hello?")
    assign(workspace, lost, section.gate, world.now)
    world.work(5)
    assert len(gather(workspace, section, test.id, world.now)) == 0
    later = world.now + timedelta(seconds=section.gate.overdue_s + 1)
    found = gather(workspace, section, test.id, later)
    assert len(found) == 6
    assert (found.rows[0].completed, found.rows[0].seconds) == (False, None)
    assert found.rows == stored(workspace, test.id).rows


def test_an_outcome_that_was_quarantined_is_none(workspace, section, world):
    test = rollout.deploy(workspace, section, world.model("m"), world.now)
    task = Task("task-x", "support", "Hello?")
    assign(workspace, task, section.gate, world.now)
    (workspace.inbox / "x.jsonl").write_text('{"task_id": "task-x", "master": "support"}\n')
    world.work(0)
    assert len(gather(workspace, section, test.id, world.now)) == 0


def test_a_challenger_whose_file_is_gone_is_invalid(workspace, section, world):
    rollout.deploy(workspace, section, world.model("m"), world.now)
    world.work(20)
    (workspace.models / "m" / "adapter_model.safetensors").unlink()
    decision = rollout.check(workspace, section, "support", world.now)
    assert decision.verdict == "INVALID" and "not those that were registered" in decision.reason
    assert world.registry.serving("support").id == "support-base"
    assert decisions.replay(workspace, section, decision.id).same


def test_what_may_not_serve_is_not_deployed(workspace, section, world):
    world.model("broken", guardrails_broken=["anchor_kl 0.9 is above 0.6"])
    with pytest.raises(ModelError, match="anchor_kl"):
        rollout.deploy(workspace, section, "broken", world.now)
    with pytest.raises(ModelError, match="champion of support already"):
        rollout.deploy(workspace, section, "support-base", world.now)
    rollout.deploy(workspace, section, world.model("one"), world.now)
    with pytest.raises(RunError, match="under test already"):
        rollout.deploy(workspace, section, world.model("two"), world.now)
    assert [event["event"] for event in events(workspace)] == ["deployed"]


def test_promotion_by_hand_needs_a_reason_and_can_be_undone(workspace, section, world):
    with pytest.raises(RunError, match="no challenger"):
        rollout.promote(workspace, "support", world.now, by_hand="I know better")
    rollout.deploy(workspace, section, world.model("m"), world.now)
    with pytest.raises(RunError, match="--by-hand"):
        rollout.promote(workspace, "support", world.now)
    rollout.promote(workspace, "support", world.now, by_hand="urgent")
    assert world.registry.serving("support").id == "m"
    assert "urgent" in world.registry.history("support")[-1]["why"]
    assert rollout.roll_back(workspace, "support", world.now).id == "support-base"
    assert world.registry.serving("support").id == "support-base"


def test_there_may_be_nothing_to_roll_back(workspace, world):
    with pytest.raises(RunError, match="nothing to roll back"):
        rollout.roll_back(workspace, "support", world.now)


def test_a_crash_while_promoting_leaves_everything_as_it_was(
    workspace, section, world, monkeypatch
):
    rollout.deploy(workspace, section, world.model("m"), world.now)
    monkeypatch.setattr(rollout, "tell", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        rollout.promote(workspace, "support", world.now, by_hand="urgent")
    assert world.registry.serving("support").id == "support-base"
    assert rollout.open_test(workspace, "support").challenger == "m"


def test_the_champions_own_past_is_where_the_test_starts(workspace, section, world):
    world.work(100, champion=0.5)
    test = rollout.deploy(workspace, section, world.model("m"), world.now)
    assert test.before.completion.tasks == 100 + section.betting.past_tasks
    assert 0.4 < test.before.completion.mean < 0.65
    assert test.before.slow_seconds == pytest.approx(30.0 * section.watch.slow_factor)


def test_the_same_task_delivered_twice_counts_once(workspace, section, world):
    test = rollout.deploy(workspace, section, world.model("m"), world.now)
    world.work(10)
    text = next(workspace.inbox.glob("*.jsonl")).read_text()
    (workspace.inbox / "again.jsonl").write_text(text)
    deliver(workspace.inbox, "more", [])
    world.work(1)
    assert len(gather(workspace, section, test.id, world.now)) == 11
    assert len({json.loads(line)["task_id"] for line in text.splitlines()}) == 10
