"""The reader: a fact in its prompt, and weights that act behind it only."""

import pytest
import torch

from fledgling.core.errors import ModelError
from fledgling.core.records import Example, Turn
from fledgling.facts.flow import learn
from fledgling.facts.gate.gate import Route
from fledgling.facts.placements import BASE, ids_in

TOLD = "Tom is my friend."


@pytest.fixture
def told(new_learner):
    learner = new_learner(**{"facts.learning.placement": "reader"})
    records = list(learn(learner, [Turn(TOLD)], reply=False))
    assert not [record for record in records if record.event == "update"]
    for parameter in learner.adapter.parameters.values():
        parameter.data.fill_(0.1)  # a reader of some kind
    return learner


def test_a_fact_acts_in_the_next_turn_without_an_update(told):
    (reply,) = told.answer(["Who is Tom?"])
    (fact,) = told.memory.all()
    assert reply.source == fact.id
    with told.placement.acting(fact.id) as model:
        assert fact.statement in model.system
        rows = model.encode([Example("Who is Tom?", "Tom.", "question", fact.id)])
        assert not torch.allclose(model.logits(rows), model.base_logits(rows), atol=1e-3)


def test_what_no_fact_answers_is_the_bases(told):
    (reply,) = told.answer(["What is the capital of France?"])
    assert reply.source == BASE
    assert reply.text == told.base_answer(["What is the capital of France?"])[0]
    with told.placement.acting(BASE) as model:
        rows = model.encode([Example("Hello", "Hi.", "question", "")])
        assert torch.equal(model.logits(rows), model.base_logits(rows))


def test_facts_that_a_question_was_led_through_stand_in_the_prompt_together(told):
    list(learn(told, [Turn("My sister lives in Oslo.")], reply=False))
    first, second = told.memory.all()
    source = told.placement.source(Route(second.id, 0.9, second.id, (first.id,)))
    assert ids_in(source) == [first.id, second.id]
    with told.placement.acting(source) as model:
        assert first.statement in model.system and second.statement in model.system


def test_a_forgotten_fact_is_read_no_more(told):
    (fact,) = told.memory.all()
    told.erase(fact.id)
    assert told.answer(["Who is Tom?"])[0].source == BASE


def test_a_reader_for_another_model_is_refused_by_name(new_learner):
    with pytest.raises(ModelError, match=r"no learned reader .*smollm2-135m.*train_reader"):
        new_learner(**{"facts.learning.placement": "reader", "facts.adapter.start": "reader"})
