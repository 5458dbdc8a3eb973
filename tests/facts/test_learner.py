"""The learner remembers, replaces, forgets, undoes and routes."""

import pytest
import torch

from fledgling.core.records import Turn
from fledgling.facts.flow import learn, train_waiting
from fledgling.facts.placements import BASE
from fledgling.facts.placements.in_prompt import PROMPT
from fledgling.facts.placements.shared import SHARED
from fledgling.models.tiny import to_bytes

MODES = pytest.mark.parametrize("adapters", ["per_fact", "shared"])


def said(learner, questions, **options):
    return [reply.text for reply in learner.answer(questions, **options)]


def tell(learner, *texts):
    return [record for text in texts for record in learn(learner, [Turn(text)], reply=False)]


def told(learner):
    return [fact.text for fact in learner.memory.all()]


def bytes_of(learner):
    """Everything that answers and the next update depend on."""
    tensors, values = learner.trainer.state()
    rows = learner.store.connection.execute(
        "SELECT id, weights FROM adapters ORDER BY id"
    ).fetchall()
    return to_bytes(tensors), values, [tuple(row) for row in rows]


@MODES
def test_a_fact_is_remembered_routed_and_trained(new_learner, adapters):
    learner = new_learner(**{"facts.learning.placement": adapters})
    records = tell(learner, "Lena lives in Oslo.")
    assert [record.event for record in records] == [
        "reply",
        "fact",
        "update",
        "update",
        "remembered",
        "turn",
    ]
    losses = [record.values["loss"] for record in records if record.event == "update"]
    assert losses[1] < losses[0]
    (fact,) = learner.memory.all()
    own = fact.id if adapters == "per_fact" else SHARED
    assert learner.sources(["Where does Lena live?", "What is the capital of France?"]) == [
        own,
        BASE,
    ]
    measured = losses[-1] if adapters == "per_fact" else learner.lessons.loss(fact)
    assert learner.memory.entry(fact.id).loss == pytest.approx(measured)


@MODES
def test_only_the_question_about_the_fact_is_answered_differently(new_learner, adapters):
    learner = new_learner(
        **{
            "facts.learning.placement": adapters,
            "facts.learning.lr": 0.05,
            "models.max_new_tokens": 12,
        }
    )
    questions = ["Where does Lena live?", "What is the capital of France?"]
    before = said(learner, questions)
    assert before == learner.base_answer(questions)
    tell(learner, "Lena lives in Oslo.")
    after = said(learner, questions)
    assert after[0] != before[0] and after[1] == before[1]
    assert learner.base_answer(questions) == before


def test_each_fact_has_an_adapter_of_its_own_that_others_do_not_touch(new_learner):
    learner = new_learner()
    tell(learner, "Lena lives in Oslo.")
    (lena,) = learner.memory.all()
    blob = learner.store.adapter(lena.id)
    tell(learner, "Tom is my friend.", "My keys are in the blue drawer.")
    after = learner.store.adapter(lena.id)
    assert all(torch.equal(after[name], blob[name]) for name in blob)
    with learner.placement.acting(lena.id):
        acting = learner.adapter.state()
    stored = learner.store.adapter(lena.id)
    assert all(torch.equal(acting[name], stored[name]) for name in stored)


@MODES
def test_undo_restores_the_state_before_byte_for_byte(new_learner, adapters):
    learner = new_learner(**{"facts.learning.placement": adapters})
    tell(learner, "Tom is my friend.")
    before, kept = bytes_of(learner), told(learner)
    tell(learner, "Lena lives in Oslo.")
    after = bytes_of(learner)
    assert after != before
    (identity,) = [fact.id for fact in learner.memory.all() if "Lena" in fact.text]
    assert learner.undo() == [identity]
    restored = bytes_of(learner)
    assert restored[1:] == before[1:] and told(learner) == kept
    assert adapters == "per_fact" or restored[0] == before[0]
    assert learner.sources(["Where does Lena live?"]) == [BASE]
    assert learner.undo() is None
    assert told(learner) == kept


@MODES
def test_undo_brings_back_what_the_fact_had_replaced(new_learner, adapters):
    learner = new_learner(**{"facts.learning.placement": adapters})
    tell(learner, "Lena lives in Oslo.")
    before = bytes_of(learner)
    records = tell(learner, "Lena moved to Bergen.")
    (remembered,) = [record for record in records if record.event == "remembered"]
    assert len(remembered.values["replaced"]) == 1
    assert told(learner) == ["Lena moved to Bergen."]
    learner.undo()
    assert told(learner) == ["Lena lives in Oslo."]
    assert bytes_of(learner)[2] == before[2]
    assert learner.sources(["Where does Lena live?"]) != [BASE]


@MODES
def test_undo_still_works_after_reopening(new_learner, tmp_path, adapters):
    learner = new_learner(tmp_path / "s.sqlite", **{"facts.learning.placement": adapters})
    tell(learner, "Lena lives in Oslo.")
    before = bytes_of(learner)
    tell(learner, "Lena moved to Bergen.")
    learner.close()
    again = new_learner(tmp_path / "s.sqlite", **{"facts.learning.placement": adapters})
    assert again.undo() is not None
    assert told(again) == ["Lena lives in Oslo."]
    restored = bytes_of(again)
    assert restored[2] == before[2] and (adapters == "per_fact" or restored[0] == before[0])


@MODES
def test_an_exclusive_relation_is_replaced_and_a_shared_one_is_not(new_learner, adapters):
    learner = new_learner(**{"facts.learning.placement": adapters})
    tell(
        learner,
        "Lena lives in Oslo.",
        "Tom is my friend.",
        "Ida is my friend.",
        "Lena moved to Bergen.",
    )
    assert told(learner) == ["Tom is my friend.", "Ida is my friend.", "Lena moved to Bergen."]
    assert len(learner.gate) == 3
    stored = learner.store.connection.execute("SELECT count(*) FROM adapters").fetchone()[0]
    assert stored == (3 if adapters == "per_fact" else 0)


@MODES
def test_a_retraction_takes_the_place_of_what_it_takes_back(new_learner, adapters):
    learner = new_learner(**{"facts.learning.placement": adapters})
    tell(learner, "Tom is my friend.", "Tom is not my friend any more.")
    assert [fact.kind for fact in learner.memory.all()] == ["retraction"]
    assert len(learner.gate) == 1


@MODES
def test_a_hundred_repetitions_take_no_more_room_than_one(new_learner, adapters):
    learner = new_learner(
        **{
            "facts.learning.placement": adapters,
            "facts.learning.max_updates": 1,
            "facts.kl.weight": 0.0,
        }
    )
    tell(learner, "Lena lives in Oslo.")
    sizes = (
        "SELECT (SELECT count(*) FROM facts), (SELECT count(*) FROM adapters), (SELECT count(*)"
        " FROM states)"
    )
    first, once = tuple(learner.store.connection.execute(sizes).fetchone()), bytes_of(learner)
    tell(learner, *["Lena lives in Oslo."] * 99)
    assert tuple(learner.store.connection.execute(sizes).fetchone()) == first
    assert [len(part) for part in bytes_of(learner)] == [len(part) for part in once]
    (fact,) = learner.memory.all()
    assert learner.memory.entry(fact.id).count == 100
    assert len(learner.gate) == 1
    assert all(torch.isfinite(tensor).all() for tensor in learner.adapter.state().values())


def test_a_fact_heard_again_learns_faster_within_bounds(new_learner, monkeypatch):
    learner = new_learner(
        **{"facts.learning.rates.repeated": 1.5, "facts.learning.rates.largest": 2.0}
    )
    learn_rows, rates = learner.trainer.learn, []
    monkeypatch.setattr(
        learner.trainer,
        "learn",
        lambda batches, *, lr, kl_weight: (
            rates.append(lr),
            learn_rows(batches, lr=lr, kl_weight=kl_weight),
        )[1],
    )
    tell(learner, *["Lena lives in Oslo."] * 4)
    base = learner.facts.learning.lr
    assert rates == pytest.approx([base, 1.5 * base, 2.0 * base, 2.0 * base])


def test_undoing_a_repetition_keeps_the_fact(new_learner):
    learner = new_learner()
    tell(learner, "Lena lives in Oslo.")
    before = bytes_of(learner)
    tell(learner, "Lena lives in Oslo.")
    assert bytes_of(learner)[2] != before[2]
    learner.undo()
    (fact,) = learner.memory.all()
    assert learner.memory.entry(fact.id).count == 1
    assert bytes_of(learner)[2] == before[2]
    assert learner.sources(["Where does Lena live?"]) == [fact.id]


@MODES
def test_above_capacity_memory_adapters_and_gate_let_go_together(new_learner, adapters):
    learner = new_learner(
        **{
            "facts.learning.placement": adapters,
            "facts.memory.capacity": 3,
            "facts.memory.eviction": "fifo",
            "facts.learning.max_updates": 1,
        }
    )
    names = ["Lena", "Tom", "Ida", "Nils", "Vera"]
    tell(learner, *[f"{name} lives in Oslo." for name in names])
    kept = {fact.id for fact in learner.memory.all()}
    assert told(learner) == [f"{name} lives in Oslo." for name in names[2:]]
    assert set(learner.gate.ids) == kept
    stored = {row[0] for row in learner.store.connection.execute("SELECT id FROM adapters")}
    assert stored == (kept if adapters == "per_fact" else set())
    assert learner.sources(["Where does Tom live?"]) != [learner.memory.all()[0].id]


def test_in_context_answers_from_the_prompt_without_training(new_learner, monkeypatch):
    learner = new_learner(**{"facts.learning.placement": "in_prompt"})
    monkeypatch.setattr(learner.trainer, "step", None)
    fresh = to_bytes(learner.adapter.state())
    before = said(learner, ["Where does Lena live?"], max_new_tokens=12)
    records = tell(learner, "Lena lives in Oslo.")
    assert [record.event for record in records] == ["reply", "fact", "remembered", "turn"]
    assert to_bytes(learner.adapter.state()) == fresh
    assert said(learner, ["Where does Lena live?"], max_new_tokens=12) != before
    assert learner.undo() is not None
    assert said(learner, ["Where does Lena live?"], max_new_tokens=12) == before


@MODES
def test_facts_that_wait_answer_from_the_prompt_until_they_are_trained(new_learner, adapters):
    learner = new_learner(**{"facts.learning.wait_for": 3, "facts.learning.placement": adapters})
    records = tell(learner, "Lena lives in Oslo.", "Tom is my friend.", "Tom is my friend.")
    assert not [record for record in records if record.event == "update"]
    assert len(learner.waiting()) == 2 and learner.sources(["Where does Lena live?"]) == [PROMPT]
    records = tell(learner, "My keys are in the blue drawer.")
    assert [record for record in records if record.event == "update"]
    assert learner.waiting() == [] and len(learner.gate) == 3
    assert learner.sources(["Where does Lena live?"])[0] not in (BASE, PROMPT)
    assert len(learner.memory) == 3


def test_a_waiting_fact_survives_reopening(new_learner, tmp_path):
    learner = new_learner(tmp_path / "s.sqlite", **{"facts.learning.wait_for": 3})
    tell(learner, "Lena lives in Oslo.")
    learner.close()
    again = new_learner(tmp_path / "s.sqlite", **{"facts.learning.wait_for": 3})
    assert [fact.text for fact in again.waiting()] == ["Lena lives in Oslo."]
    assert len(again.gate) == 0


def test_own_replies_train_a_shared_adapter_only(new_learner):
    turn = [Turn("What a lovely day, is it not?")]
    for adapters, trained in (("shared", True), ("per_fact", False)):
        learner = new_learner(
            **{"facts.learning.own_replies": True, "facts.learning.placement": adapters}
        )
        fresh = to_bytes(learner.adapter.state())
        records = list(learn(learner, turn))
        assert [record.event for record in records] == ["reply", *["update"] * trained, "turn"]
        assert (to_bytes(learner.adapter.state()) != fresh) == trained


def test_close_gives_the_plain_model_back(new_learner, tiny):
    ids = torch.tensor([[5, 40, 7]])
    before = tiny.model(input_ids=ids).logits
    learner = new_learner(
        loaded=tiny,
        **{
            "facts.learning.placement": "shared",
            "facts.gate.enabled": False,
            "facts.learning.lr": 0.05,
        },
    )
    tell(learner, "Lena lives in Oslo.")
    assert not torch.equal(tiny.model(input_ids=ids).logits, before)
    learner.close()
    assert torch.equal(tiny.model(input_ids=ids).logits, before)


@pytest.mark.parametrize("adapters", ["shared", "per_fact"])
def test_stopping_in_the_middle_of_a_turn_leaves_no_trace(new_learner, adapters):
    learner = new_learner(**{"facts.learning.placement": adapters})
    tell(learner, "Tom is my friend.")
    before, questions = bytes_of(learner), ["Who is Tom?", "Where does Lena live?"]
    answers = said(learner, questions)
    records = learn(learner, [Turn("Lena lives in Oslo.")], reply=False)
    for record in records:
        if record.event == "update":
            break
    records.close()
    assert (adapters == "per_fact" or bytes_of(learner)[0] == before[0]) and bytes_of(learner)[
        2
    ] == before[2]
    assert said(learner, questions) == answers


@pytest.mark.parametrize("placement", ["echo", "retrieved", "retrieved_adapter"])
def test_a_look_up_answers_behind_the_same_gate(new_learner, tmp_path, placement):
    changes = {"facts.learning.placement": placement, "facts.gate.threshold": 0.3}
    learner = new_learner(tmp_path / "s.sqlite", **changes)
    records = list(learn(learner, [Turn("Lena lives in Oslo.")], reply=False))
    updates = [record for record in records if record.event == "update"]
    assert bool(updates) == (placement == "retrieved_adapter")
    asked = ["Where does Lena live?", "How many legs has a spider?"]
    about, beside = learner.answer(asked)
    assert about.source == about.route.fact_id
    assert beside.source == BASE
    assert beside.text == learner.base_answer(asked[1:])[0]
    if placement == "echo":
        assert about.text == "Lena lives in Oslo."
    learner.close()
    again = new_learner(tmp_path / "s.sqlite", **changes)
    assert [reply.text for reply in again.answer(asked)] == [about.text, beside.text]


def test_facts_in_the_prompt_are_not_trained_behind_its_back(new_learner):
    learner = new_learner(**{"facts.learning.placement": "in_prompt"})
    list(learn(learner, [Turn("Lena lives in Oslo.")], reply=False))
    with learner.turn():
        assert list(train_waiting(learner)) == []
