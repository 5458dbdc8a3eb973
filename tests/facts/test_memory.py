"""The fact memory against a plain model of it, and each rule on its own."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fledgling.core.errors import DataError
from fledgling.core.records import Fact
from fledgling.facts.memory import STRATEGIES, FactMemory
from fledgling.facts.store import FactStore
from fledgling.facts.stored import NEVER_MEASURED
from fledgling.settings import load_config

SECTION = load_config().facts.memory


def memory_of(path=":memory:", **changes):
    return FactMemory(FactStore(path).connection, SECTION.model_copy(update=changes))


def fact(number, **more):
    return Fact(
        f"f{number}", f"Said {number}", more.pop("statement", f"Statement {number}."), **more
    )


def home(fact_id, who, place, **more):
    return Fact(
        fact_id,
        "",
        f"{who} lives in {place}.",
        subject=who,
        relation="lives_in",
        object=place,
        **more,
    )


def test_a_new_home_replaces_the_old_one_and_a_second_friend_does_not():
    memory = memory_of()
    assert memory.remember(home("a", "Lena", "Oslo", exclusive=True), 1) == []
    assert memory.remember(home("b", "Tom", "Oslo", exclusive=True), 2) == []
    assert memory.remember(home("c", "lena", "Bergen", exclusive=True), 3) == ["a"]
    for number, name in enumerate(("Tom", "Tim")):
        friend = Fact(
            f"d{number}",
            "",
            f"{name} is your friend.",
            subject="me",
            relation="friend",
            object=name,
        )
        assert memory.remember(friend, 4 + number) == []
    assert [item.id for item in memory.all()] == ["b", "c", "d0", "d1"]


def test_facts_told_together_let_their_turn_go_with_the_first_of_them_that_goes():
    memory = memory_of()
    for number in range(3):
        memory.remember(fact(number, turn="Said 0, said 1." if number < 2 else "Said 2."), 1)
        memory.mark_trained(f"f{number}")
    assert memory.forget("f0") == ["f1"] and memory.forget("f0") == []
    assert [entry.fact.turn for entry in memory.entries()] == ["", "Said 2."]
    assert [entry.trained for entry in memory.entries()] == [False, True]


def test_a_retraction_replaces_what_it_takes_back_and_can_be_taken_back_itself():
    memory = memory_of()
    memory.remember(home("a", "Lena", "Oslo"), 1)
    memory.remember(home("b", "Lena", "Paris"), 1)
    gone = Fact("r", "", "Lena no longer lives in Oslo.", "retraction", "Lena", "lives_in", "Oslo")
    assert memory.remember(gone, 2) == ["a"]
    assert memory.remember(home("a", "Lena", "Oslo"), 3) == ["r"]
    assert {item.id for item in memory.all()} == {"a", "b"}


def test_a_correction_replaces_the_earlier_answer_to_the_same_question():
    memory = memory_of()
    memory.remember(fact(1, question="What is the capital?", exclusive=True), 1)
    assert memory.remember(fact(2, question="what is the capital", exclusive=True), 2) == ["f1"]


def test_a_fact_repeated_a_hundred_times_is_one_fact():
    memory = memory_of()
    for turn in range(100):
        memory.remember(fact(1), turn)
    entry = memory.entry("f1")
    assert (len(memory), entry.count, entry.born, entry.seen) == (1, 100, 0, 99)
    assert memory.importance("f1", 99) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("kind", "a", "b"), [("repetition", 1.0, 0.0), ("recency", 0.0, 1.0), ("hybrid", 0.25, 0.75)]
)
def test_importance_by_hand(kind, a, b):
    memory = memory_of(
        importance=kind, repetition_weight=0.25, half_life=20.0, decay_after=10, decay_half_life=5.0
    )
    memory.remember(fact(1), 0)
    memory.repeat("f1", 0)
    assert memory.importance("f1", 8) == pytest.approx(0.75**a * 0.5 ** (b * 8 / 20))
    assert memory.importance("f1", 15) == pytest.approx(
        0.75**a * 0.5 ** (b * 15 / 20) * 0.5 ** (5 / 5)
    )


@pytest.mark.parametrize(
    ("eviction", "gone"), [("fifo", "f0"), ("lru", "f1"), ("importance", "f2"), ("hybrid", "f2")]
)
def test_eviction(eviction, gone):
    memory = memory_of(
        capacity=3, eviction=eviction, importance="repetition", eviction_candidates=3
    )
    for number in range(3):
        memory.remember(fact(number), number)
    for number, times in ((1, 3), (2, 1), (0, 2)):  # seen last: 0; seen first: 1; least said: 2
        for _ in range(times):
            memory.repeat(f"f{number}", {1: 3, 2: 4, 0: 5}[number])
    memory.remember(fact(9), 6)
    assert {f"f{number}" for number in (0, 1, 2, 9)} - {item.id for item in memory.all()} == {gone}


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["fifo", "lru", "importance", "hybrid"]),
    st.sampled_from(["repetition", "recency", "hybrid"]),
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6)), max_size=40),
)
def test_eviction_agrees_with_a_plain_model(eviction, kind, steps):
    memory = memory_of(
        capacity=5,
        eviction=eviction,
        importance=kind,
        decay_after=4,
        half_life=7.0,
        decay_half_life=3.0,
        eviction_candidates=2,
    )
    turn, model = 0, {}
    for number, wait in steps:
        turn += wait
        name = f"f{number}"
        if name in model:
            model[name] = (model[name][0], turn)
        else:
            model[name] = (len(model) and max(order for order, _ in model.values()) + 1, turn)
            if len(model) > 5:
                others = [key for key in model if key != name]
                if eviction == "hybrid":
                    others = sorted(others, key=lambda key: (model[key][1], model[key][0]))[:2]
                if eviction in ("fifo", "lru"):
                    place = 0 if eviction == "fifo" else 1
                    victims = {min(others, key=lambda key: (model[key][place], model[key][0]))}
                else:
                    least = min(memory.importance(key, turn) for key in others)
                    victims = {
                        key for key in others if memory.importance(key, turn) <= least * (1 + 1e-9)
                    }
        memory.remember(fact(number), turn)
        lost = set(model) - {item.id for item in memory.all()}
        if lost:
            assert len(lost) == 1 and lost <= victims
            del model[lost.pop()]
        assert len(memory) == len(memory.all()) == len(model) <= 5


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 12),
    st.integers(0, 15),
    st.sampled_from(STRATEGIES),
    st.sets(st.integers(0, 11)),
    st.integers(),
)
def test_selection_is_distinct_bounded_and_excludes(size, count, strategy, excluded, seed):
    memory = memory_of()
    for number in range(size):
        memory.remember(fact(number), number)
        memory.update_loss(f"f{number}", float(number % 4), number)
    exclude = {f"f{number}" for number in excluded}
    chosen = [
        item.id
        for item in memory.select(count, strategy, random.Random(seed), turn=20, exclude=exclude)
    ]
    left = {f"f{number}" for number in range(size)} - exclude
    assert len(set(chosen)) == len(chosen) == min(count, len(left)) and set(chosen) <= left


def test_selection_orders():
    memory = memory_of()
    for number, (loss, rehearsed) in enumerate([(0.5, 9), (2.0, 8), (0.1, 1), (1.0, 2)]):
        memory.remember(fact(number), number)
        memory.update_loss(f"f{number}", loss, rehearsed)
    names = {
        strategy: [item.id for item in memory.select(2, strategy, random.Random(0))]
        for strategy in STRATEGIES
    }
    assert names["highest_loss"] == ["f1", "f3"]
    assert names["least_rehearsed"] == ["f2", "f3"]
    assert names["mixed"] == ["f1", "f2"]
    memory.update_loss("f0", float("nan"))
    assert memory.entry("f0").loss == NEVER_MEASURED and memory.entry("f0").rehearsed == 9


def test_importance_replay_prefers_the_important():
    memory = memory_of(importance="repetition")
    for number in range(2):
        memory.remember(fact(number), 0)
    memory.put(type(memory.entry("f0"))(fact(0), 0, 0, count=20))
    memory.put(type(memory.entry("f1"))(fact(1), 0, 0, count=1))
    drawn = [
        memory.select(1, "importance", random.Random(seed), turn=0)[0].id for seed in range(300)
    ]
    assert 0.55 < drawn.count("f0") / 300 < 0.78  # weights 1 : 0.5


def test_everything_survives_closing(tmp_path):
    memory = memory_of(tmp_path / "store.sqlite")
    for number in range(5):
        memory.remember(fact(number, entities=("Ana", "Öslo")), number)
    memory.update_loss("f2", 0.25, 7)
    saved = memory.entries()
    memory.connection.close()
    again = memory_of(tmp_path / "store.sqlite")
    assert again.entries() == saved
    assert len(again) == 5


def test_unknown_names_are_refused():
    memory = memory_of()
    for act in (
        lambda: memory.repeat("x", 1),
        lambda: memory.update_loss("x", 1.0),
        lambda: memory.entry("x"),
    ):
        with pytest.raises(DataError, match="'x'"):
            act()
    with pytest.raises(DataError, match="at_whim"):
        memory.select(1, "at_whim", random.Random(0))
    assert memory.get("x") is None and memory.forget("x") == [] and "x" not in memory


def test_a_thousand_facts_cost_about_as_much_as_ten():
    def seconds_a_turn(size):
        memory = memory_of()
        for number in range(size):
            memory.remember(fact(number, subject=f"s{number}", relation="r"), number)
        best = float("inf")
        for turn in range(60):
            start = time.perf_counter()
            memory.remember(fact(turn % 5), size + turn)
            for item in memory.select(8, "mixed", random.Random(turn)):
                memory.update_loss(item.id, 0.1, size + turn)
            best = min(best, time.perf_counter() - start)
        return best

    assert seconds_a_turn(1000) < 3.0 * seconds_a_turn(10) + 1e-3
