"""Many facts' adapters become one: whole or not at all, and what is forgotten is in none of it."""

from dataclasses import replace

import pytest
import torch

from fledgling.core.errors import ConfigError, DataError, ModelError
from fledgling.core.records import Turn
from fledgling.facts.consolidation import consolidate, take_back
from fledgling.facts.flow import learn, train_waiting
from fledgling.facts.store import CONSOLIDATED

SMALL = {
    "facts.consolidation.adapter.rank": 16,
    "facts.consolidation.adapter.alpha": 16,
    "facts.consolidation.adapter.first_layer": 1,
}
TOLD = ("Tom is my friend.", "Lena lives in Oslo.", "My cat is called Olive.")


@pytest.fixture
def taught(new_learner):
    def build(store=":memory:", turns=TOLD, **changes):
        learner = new_learner(store, **{**SMALL, **changes})
        tell(learner, *turns)
        return learner

    return build


def tell(learner, *turns):
    return list(learn(learner, map(Turn, turns), reply=False, taught=True))


def last(learner, stop=lambda: False):
    return list(consolidate(learner, stop))[-1]


def everything(learner):
    return [row[:] for row in learner.store.connection.iterdump()]


def test_all_facts_answer_from_one_adapter(taught):
    learner = taught()
    ended = last(learner)
    assert (ended.event, ended.values["facts"]) == ("consolidated", 3)
    assert set(learner.sources(["Who is Tom?", "Where does Lena live?"])) == {CONSOLIDATED}
    assert not any(learner.store.has_adapter(fact.id) for fact in learner.memory.all())


def test_it_says_what_the_adapters_said(taught):
    learner = taught(**{"facts.consolidation.damping": 1e-6, "facts.consolidation.held_weight": 0})
    before = [learner.lessons.rows_of(fact) for fact in learner.memory.all()]
    wanted = []
    for rows, fact in zip(before, learner.memory.all(), strict=True):
        with learner.placement.acting(fact.id) as model, torch.no_grad():
            wanted.append(model.logits(rows).log_softmax(-1))
    base = [learner.adapted.base_logits(rows).log_softmax(-1) for rows in before]
    last(learner)
    for rows, want, plain in zip(before, wanted, base, strict=True):
        with learner.placement.acting(CONSOLIDATED) as model, torch.no_grad():
            merged = model.logits(model.reframe(rows)).log_softmax(-1)
        assert distance(want, merged) < 0.5 * distance(want, plain)


def distance(one, other):
    return float((one.exp() * (one - other)).sum(-1).mean())


def test_its_size_does_not_depend_on_how_many_there_are(taught):
    few, many = taught(turns=TOLD[:1]), taught()
    assert last(few).values["bytes"] == pytest.approx(last(many).values["bytes"], abs=64)


def test_a_fact_told_since_has_its_own_adapter_until_next_time(taught):
    learner = taught()
    last(learner)
    tell(learner, "Nora has a boat.")
    newest = learner.memory.all()[-1].id
    assert learner.sources(["What does Nora have, a boat?"]) == [newest]
    assert last(learner).values["facts"] == 4
    assert learner.sources(["What does Nora have, a boat?"]) == [CONSOLIDATED]


def test_a_fact_told_again_answers_from_its_own_adapter(taught):
    learner = taught()
    last(learner)
    tell(learner, "Tom is my friend.")
    assert learner.sources(["Who is Tom?"]) == [learner.memory.all()[0].id]


def test_undo_takes_it_back_byte_for_byte(taught):
    learner = taught()
    weights = {fact.id: learner.store.adapter(fact.id) for fact in learner.memory.all()}
    last(learner)
    take_back(learner)
    for fact_id, state in weights.items():
        now = learner.store.adapter(fact_id)
        assert all(torch.equal(state[name], now[name]) for name in state)
    assert CONSOLIDATED not in learner.sources(["Who is Tom?"])


def test_what_was_told_since_is_not_taken_back_with_it(taught):
    learner = taught()
    last(learner)
    tell(learner, "Nora has a boat.")
    with pytest.raises(DataError, match="none to take back"):
        take_back(learner)


def test_broken_off_nothing_has_happened(taught):
    learner = taught()
    before = everything(learner)
    asked = iter([False] * 4 + [True] * 9)
    assert last(learner, lambda: next(asked)).event == "interrupted"
    assert everything(learner) == before
    assert last(learner).event == "consolidated"


def test_nothing_takes_effect_where_a_fact_was_forgotten_meanwhile(taught):
    learner = taught()
    going = consolidate(learner)
    next(going)
    with learner.turn():
        learner.forget(learner.memory.all()[0].id)
    before = everything(learner)
    ended = list(going)[-1]
    assert ended.event == "refused"
    assert "forgotten" in ended.values["reason"]
    assert everything(learner) == before


def test_a_fact_that_arrives_meanwhile_keeps_its_adapter(taught):
    learner = taught()
    going = consolidate(learner)
    next(going)
    tell(learner, "Nora has a boat.")
    assert list(going)[-1].values["facts"] == 3
    assert learner.store.has_adapter(learner.memory.all()[-1].id)


def test_without_facts_it_is_refused(new_learner):
    ended = last(new_learner(**SMALL))
    assert (ended.event, ended.values["reason"][:21]) == ("refused", "no fact is remembered")


def test_one_fact_is_enough(taught):
    assert last(taught(turns=TOLD[:1])).values["facts"] == 1


def test_shared_weights_cannot_be_consolidated(new_learner):
    learner = new_learner(**{**SMALL, "facts.learning.placement": "shared"})
    with pytest.raises(DataError, match="placement prefix or per_fact"):
        list(consolidate(learner))


def test_a_forgotten_fact_is_in_the_next_one_no_more(taught):
    learner, fresh = taught(), taught(turns=TOLD[1:])
    last(learner)
    learner.erase(learner.memory.all()[0].id)
    assert learner.store.folded() == []
    assert [fact.statement for fact in learner.waiting()] == [
        fact.statement for fact in fresh.memory.all()
    ]
    with learner.turn():
        list(train_waiting(learner))
    assert last(learner).values["facts"] == 2


def test_nothing_of_an_erased_fact_is_merged_again(taught):
    learner = taught()
    last(learner)
    learner.erase(learner.memory.all()[0].id)
    assert learner.trained.model().adapter.norm() == 0.0
    assert last(learner).event == "refused"  # the others wait to be trained anew
    assert learner.store.folded() == []


def test_a_fact_that_still_waits_is_left_out(taught):
    learner = taught()
    with learner.turn():
        entry = learner.memory.entries()[0]
        learner.memory.put(replace(entry, trained=False))
    assert last(learner).values["facts"] == 2
    assert entry.fact.id not in learner.store.folded()


def test_it_is_there_again_when_the_store_is_opened_again(taught, new_learner, tmp_path):
    path = tmp_path / "facts.sqlite"
    learner = taught(path)
    last(learner)
    said = learner.answer(["Who is Tom?"])[0]
    learner.close()
    again = new_learner(path, **SMALL)
    assert again.answer(["Who is Tom?"])[0].text == said.text
    assert again.sources(["Who is Tom?"]) == [CONSOLIDATED]


def test_another_shape_is_refused_by_name(taught, new_learner, tmp_path):
    path = tmp_path / "facts.sqlite"
    learner = taught(path)
    last(learner)
    learner.close()
    with pytest.raises(ModelError, match=r"facts\.consolidation\.adapter"):
        new_learner(path, **{**SMALL, "facts.consolidation.adapter.rank": 8})


@pytest.mark.parametrize(
    "changes",
    [
        {"facts.consolidation.adapter.first_layer": 2},
        {"facts.adapter.targets": ["q_proj", "down_proj"]},
    ],
)
def test_what_it_could_not_reach_is_refused(taught, changes):
    with pytest.raises(ConfigError, match=r"facts\.consolidation\.adapter"):
        list(consolidate(taught(**changes)))
