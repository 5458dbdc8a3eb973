"""A fact's own keys and values: what answers holds no word of it as text."""

import pytest
import torch

from fledgling.core.records import Turn
from fledgling.facts import condensing
from fledgling.facts.condensing import spared
from fledgling.facts.consolidation import consolidate, take_back
from fledgling.facts.flow import learn
from fledgling.facts.gate.gate import Route
from fledgling.facts.placements import BASE
from fledgling.facts.store import CONSOLIDATED
from fledgling.models.prefixes import PrefixAdapter
from fledgling.models.tiny import to_bytes

PREFIX = {
    "facts.learning.placement": "prefix",
    "facts.guard.kl_budget": 1e9,
}
TOLD = ("Tom is my friend.", "Lena lives in Oslo.")


@pytest.fixture
def taught(new_learner):
    def build(store=":memory:", turns=TOLD, **changes):
        learner = new_learner(store, **{**PREFIX, **changes})
        tell(learner, *turns)
        return learner

    return build


def tell(learner, *turns):
    return list(learn(learner, map(Turn, turns), reply=False, taught=True))


def test_each_fact_answers_from_a_prefix_of_its_own(taught):
    learner = taught()
    tom, lena = learner.sources(["Who is Tom?", "Where does Lena live?"])
    assert BASE not in (tom, lena) and tom != lena
    assert to_bytes(learner.store.adapter(tom)) != to_bytes(learner.store.adapter(lena))
    assert isinstance(learner.adapter, PrefixAdapter)


def test_updates_lower_the_loss_of_the_fact(taught):
    learner = taught(turns=(), **{"facts.learning.max_updates": 6, "facts.learning.lr": 0.05})
    losses = [each.values["loss"] for each in tell(learner, TOLD[0]) if each.event == "update"]
    assert len(losses) == 6 and losses[-1] < losses[0]


def test_no_word_of_a_fact_is_in_any_prompt_when_it_answers(taught):
    learner = taught()
    fed = []
    embed = learner.adapted.decoder.embed_tokens
    handle = embed.register_forward_pre_hook(lambda _, inputs: fed.append(inputs[0]))
    learner.answer(["Where does Lena live?", "Who is Tom?"])
    list(
        learner.stream(
            "Where does Lena live?", learner.route(["Where does Lena live?"])[0], max_new_tokens=3
        )
    )
    handle.remove()
    read = [learner.loaded.tokenizer.decode(row) for ids in fed for row in ids]
    assert any("Lena" in text for text in read)
    assert not any("Oslo" in text or "friend" in text for text in read)


def test_a_store_is_continued_with_the_same_answers(taught, tmp_path):
    questions = ["Who is Tom?", "Where does Lena live?", "What is the capital of France?"]
    learner = taught(tmp_path / "facts.sqlite")
    before = [(reply.text, reply.source) for reply in learner.answer(questions)]
    loaded = learner.loaded
    learner.close()
    again = taught(tmp_path / "facts.sqlite", turns=(), loaded=loaded)
    assert [(reply.text, reply.source) for reply in again.answer(questions)] == before


def test_what_was_told_last_can_be_taken_back(taught):
    learner = taught(turns=TOLD[:1])
    (tom,) = learner.sources(["Who is Tom?"])
    kept = to_bytes(learner.store.adapter(tom))
    tell(learner, TOLD[1])
    learner.undo()
    assert learner.sources(["Where does Lena live?", "Who is Tom?"]) == [BASE, tom]
    assert to_bytes(learner.store.adapter(tom)) == kept


def test_two_facts_to_which_a_question_was_led_act_together(taught):
    learner = taught(**{"facts.gate.steps": 2})
    tom, lena = (fact.id for fact in learner.memory.all())
    route = Route(lena, 0.9, via=(tom,))
    lengths = {}
    for source in (tom, lena, learner.placement.source(route)):
        with learner.placement.acting(source) as model:
            lengths[source] = model.prefix.length
    assert lengths[f"{tom}+{lena}"] == lengths[tom] + lengths[lena]
    with learner.placement.acting(tom) as model:  # what stood beside it is gone
        assert model.prefix.length == lengths[tom]


def test_a_question_put_anew_on_the_way_is_answered_by_the_last_fact_alone(taught, monkeypatch):
    learner = taught(**{"facts.gate.steps": 2})
    tom, lena = (fact.id for fact in learner.memory.all())
    route = Route(lena, 0.9, via=(tom,), asked="Where does Lena live?")
    monkeypatch.setattr(learner.gate, "route", lambda questions: [route] * len(questions))
    (reply,) = learner.answer(["Where does Tom's friend live?"])
    assert reply.source == lena and reply.route.via == (tom,)
    monkeypatch.undo()
    assert reply.text == learner.answer(["Where does Lena live?"])[0].text
    streamed = learner.stream(
        "Where does Tom's friend live?", route, max_new_tokens=learner.loaded.max_new_tokens
    )
    assert "".join(streamed).strip() == reply.text


def test_the_base_answers_what_the_gate_leaves_closed(taught):
    learner = taught()
    question = "What is the capital of France?"
    rows = learner.adapted.encode(learner.lessons.examples(learner.memory.all()[0], learner.rng()))
    base = learner.adapted.base_logits(rows)
    with learner.placement.acting(BASE) as model, torch.no_grad():
        assert torch.equal(model.logits(rows), base)
    assert learner.answer([question])[0].text == learner.base_answer([question])[0]


def last(learner, stop=lambda: False):
    return list(consolidate(learner, stop))[-1]


def everything(learner):
    return [row[:] for row in learner.store.connection.iterdump()]


def test_all_facts_answer_from_one_prefix_of_bounded_size(taught):
    learner = taught(**{"facts.consolidation.slots": 16})
    ended = last(learner)
    assert (ended.event, ended.values["facts"]) == ("consolidated", 2)
    assert ended.values["rows"] == 2 * 5 * 12
    assert set(learner.sources(["Who is Tom?", "Where does Lena live?"])) == {CONSOLIDATED}
    assert not any(learner.store.has_adapter(fact.id) for fact in learner.memory.all())
    with learner.placement.acting(CONSOLIDATED) as model:
        assert model.prefix.length == 16
    size = learner.store.folded_bytes()
    tell(learner, *(f"{name} lives in Oslo." for name in ("Ann", "Bo", "Cy", "Dee")))
    assert last(learner).values["facts"] == 6
    assert abs(learner.store.folded_bytes() - size) < 100


def test_facts_too_many_to_be_read_together_are_read_in_even_parts(taught, monkeypatch):
    turns, read = (*TOLD, "Ann has a boat.", "Bo is a cook.", "Cy is tall."), []
    learner = taught(turns=turns, **{"facts.consolidation.slots": 25})
    prompt = condensing.system_prompt
    monkeypatch.setattr(condensing, "_READ_TOGETHER", 4)
    monkeypatch.setattr(condensing, "system_prompt", lambda each: read.append(each) or prompt(each))
    assert last(learner).values["facts"] == 5
    assert [len(each) for each in read] == [3, 2]
    assert [fact for each in read for fact in each] == learner.memory.all()
    with learner.placement.acting(CONSOLIDATED) as model:
        assert model.prefix.length == 25


def test_what_is_told_afterwards_has_a_prefix_of_its_own(taught):
    learner = taught()
    last(learner)
    tell(learner, "Ann lives in Bergen.")
    (ann,) = learner.sources(["Where does Ann live?"])
    assert learner.store.has_adapter(ann)
    assert learner.sources(["Who is Tom?"]) == [CONSOLIDATED]


def test_a_consolidation_is_taken_back_byte_for_byte(taught):
    learner = taught()
    before = everything(learner)
    last(learner)
    assert everything(learner) != before
    take_back(learner)
    learner.store._forget_before()
    assert [row for row in everything(learner) if "before_" not in row] == [
        row for row in before if "before_" not in row
    ]


def test_interrupted_it_has_not_happened(taught):
    learner = taught()
    before, answers = everything(learner), learner.sources(["Who is Tom?"])
    calls = iter([False, False, True])
    assert last(learner, lambda: next(calls)).event == "interrupted"
    assert everything(learner) == before
    assert learner.sources(["Who is Tom?"]) == answers
    assert learner.adapter.norm() == 0.0  # nothing of it is left before the model


def test_a_forgotten_fact_has_no_part_in_the_next_one(taught):
    learner = taught()
    last(learner)
    tom, lena = learner.memory.all()
    with learner.turn():
        learner.forget(tom.id)
    last(learner)
    alone = taught(turns=TOLD[1:])
    last(alone)
    assert learner.store.folded() == [lena.id]
    states = [each.store.state(CONSOLIDATED)[0] for each in (learner, alone)]
    assert to_bytes(states[0]) == to_bytes(states[1])  # as if it had never been told


def test_words_that_carry_little_are_spared_first():
    words = ["<s>", "told", ":", "tom", "is", "a", "judge", ".", "</s>"]
    kept = [words[place] for place in spared(words, 6)]
    assert kept[0] == "<s>" and kept[-1] == "</s>" and {"told", "tom", "judge"} <= set(kept)
    assert spared(words, 99) == list(range(9))
    assert len(spared(words, 3)) == 3


BOTH = "So that is settled at last, Lena lives in Oslo. My sister keeps seven bees."


def test_a_fact_told_in_passing_is_read_with_its_turn_and_not_practised(taught):
    learner = taught(turns=())
    events = [record.event for record in tell(learner, BOTH)]
    assert events.count("remembered") == 2 and "update" not in events
    assert [fact.turn for fact in learner.memory.all()] == [BOTH] * 2
    asked = ["Where does Lena live?", "Is that settled at last?"]
    assert BASE not in learner.sources(asked)


def test_what_was_told_beside_a_fact_that_goes_is_read_alone(taught):
    learner = taught(turns=())
    tell(learner, BOTH)
    lena, bees = learner.memory.all()
    whole = to_bytes(learner.store.adapter(bees.id))
    records = tell(learner, "Lena lives in Bergen.")
    replaced = [each.values["replaced"] for each in records if each.event == "remembered"]
    assert [lena.id] in replaced
    assert [entry.trained for entry in learner.memory.entries()] == [True, True]
    assert learner.memory.get(bees.id).turn == ""
    assert to_bytes(learner.store.adapter(bees.id)) != whole
    assert set(learner.gate.ids) == learner.memory.ids()
    assert learner.undo() is not None
    assert [fact.turn for fact in learner.memory.all()] == [BOTH] * 2
    assert to_bytes(learner.store.adapter(bees.id)) == whole


def test_of_facts_told_in_passing_nothing_is_practised_when_they_are_folded(taught):
    learner = taught(turns=(BOTH, "Tom is my friend."), **{"facts.consolidation.updates": 2})
    assert len(learner.memory) == 3
    assert [step.event for step in consolidate(learner)] == ["merging", "merging", "consolidated"]
    learner = taught(turns=(BOTH,))
    assert [step.event for step in consolidate(learner)] == ["consolidated"]
    assert learner.sources(["Where does Lena live?"]) == [CONSOLIDATED]


@pytest.mark.parametrize("first", ["Lena lives in Oslo.", BOTH])
def test_a_fact_told_again_keeps_the_turn_of_the_first_time(taught, first):
    learner = taught(turns=(first,))
    lena = next(fact for fact in learner.memory.all() if "Lena" in fact.statement)
    tell(learner, "So the code of the safe is 4711, write it down. Lena lives in Oslo.")
    assert learner.memory.entry(lena.id).count == 2
    assert learner.memory.get(lena.id).turn == lena.turn
    place = learner.gate.ids.index(lena.id)
    assert not [text for text in learner.gate._texts[place] if "4711" in text]
