"""The gate with readers that go by shared words."""

from dataclasses import replace

import numpy as np
import pytest

from fledgling.core.records import Fact
from fledgling.facts.gate.gate import Gate, fact_text
from fledgling.facts.settings import GateSection
from fledgling.models.tiny import WordEmbedder, WordOverlap


class Counting:
    """Counts the pairs that are scored and the texts that are embedded."""

    def __init__(self):
        self.pairs, self.texts = [], []

    def embed(self, texts):
        self.texts.append(list(texts))
        return WordEmbedder().embed(texts)

    def score(self, pairs):
        self.pairs.append(list(pairs))
        return WordOverlap().score(pairs)


def fact(identity, text, question=None, thing=""):
    return Fact(identity, text, text, question=question, object=thing)


def gate_of(*facts, threshold=0.6, candidates=4, reader=None, steps=1, chains=3):
    reader = reader or Counting()
    section = GateSection(
        enabled=True,
        threshold=threshold,
        candidates=candidates,
        min_similarity=0.0,
        steps=steps,
        chains=chains,
        link_facts=12,
        chain_threshold=0.9,
        chain_doubt=0.6,
    )
    gate = Gate(reader.embed, reader.score, section)
    gate.add_all(facts)
    return gate


TOM, LENA = fact("tom", "Tom is my friend."), fact("lena", "Lena lives in Oslo.")
MEETING = fact("m", "The meeting is on Tuesday.")


def routed(gate, *questions):
    return [route.fact_id for route in gate.route(questions)]


def test_each_question_goes_to_its_fact_and_others_to_the_base():
    gate = gate_of(TOM, LENA, MEETING)
    questions = [
        "Who is Tom?",
        "Where does Lena live?",
        "When is the meeting?",
        "What is the capital of France?",
    ]
    assert routed(gate, *questions) == ["tom", "lena", "m", None]
    assert routed(gate, "What is the capital of France?", "Who is Tom?") == [None, "tom"]


def test_the_threshold_decides_and_the_nearest_is_told_either_way():
    question = "Where does Tim live?"  # shares "live" only: one word of two
    low, high = gate_of(TOM, LENA, threshold=0.5), gate_of(TOM, LENA, threshold=0.51)
    assert [route.fact_id for route in low.route([question])] == ["lena"]
    (route,) = high.route([question])
    assert (route.fact_id, route.nearest, route.probability) == (None, "lena", 0.5)


def test_without_facts_or_questions_nothing_is_read():
    reader = Counting()
    gate = gate_of(reader=reader)
    assert routed(gate, "Who is Tom?") == [None]
    gate.add(TOM)
    assert gate.route([]) == []
    assert reader.pairs == []


@pytest.mark.parametrize("removed", ["tom", "lena", "m"])
def test_a_removed_fact_is_not_found_and_the_others_are(removed):
    gate = gate_of(TOM, LENA, MEETING)
    gate.remove(removed)
    gate.remove("never there")
    expected = [identity if identity != removed else None for identity in ("tom", "lena", "m")]
    assert routed(gate, "Who is Tom?", "Where does Lena live?", "When is the meeting?") == expected
    assert len(gate) == 2


def test_the_same_id_again_replaces_the_text():
    gate = gate_of(TOM, LENA)
    gate.add(fact("lena", "Bergen has the viola."))
    assert len(gate) == 2
    assert routed(gate, "Where does Lena live?", "Who has the viola?") == [None, "lena"]


def test_the_index_grows_and_shrinks_and_still_finds_every_fact():
    names = [f"Person{number} owns boat{number}." for number in range(300)]
    gate = gate_of(*[fact(str(number), text) for number, text in enumerate(names[:70])])
    for number, text in enumerate(names[70:], start=70):
        gate.add(fact(str(number), text))
    for number in range(0, 300, 2):
        gate.remove(str(number))
    found = gate_of(candidates=300)
    found.ids, found._texts, found._rows = gate.ids, gate._texts, gate._rows
    questions = [f"What does Person{number} own?" for number in range(300)]
    answers = [route.nearest for route in found.route(questions)]
    assert [answers[number] for number in range(1, 300, 2)] == [
        str(number) for number in range(1, 300, 2)
    ]
    assert not {str(number) for number in range(0, 300, 2)} & set(answers)
    used = gate._rows[: len(gate)]
    assert np.allclose(used[:, 0], WordEmbedder().embed([text for text, _ in gate._texts]))


def test_a_fact_is_found_by_the_turn_that_it_was_told_in_too():
    said = "We painted the shed at the weekend, it is mustard yellow now."
    shed = replace(fact("shed", "The weekend is mustard yellow now."), turn=said)
    gate = gate_of(LENA, shed)
    question = "Who painted the shed?"
    assert routed(gate, question, "Is the weekend mustard yellow?") == ["shed", "shed"]
    assert routed(gate_of(LENA, replace(shed, turn="")), question) == [None]
    gate.remove("shed")
    assert routed(gate, question) == [None]


def test_a_question_costs_as_many_pairs_at_a_thousand_facts_as_at_ten():
    costs = {}
    for size in (10, 1000):
        reader = Counting()
        facts = [fact(str(number), f"Person{number} owns boat{number}.") for number in range(size)]
        gate = gate_of(*facts, reader=reader)
        assert len(reader.texts) == 1  # one embedding call for all of them
        gate.route(["What does Person3 own?", "Who are you?"])
        costs[size] = (len(reader.pairs), len(reader.pairs[0]), len(reader.texts[-1]))
    assert costs[10] == costs[1000] == (1, 8, 2)


def test_fewer_facts_than_candidates():
    reader = Counting()
    gate = gate_of(TOM, candidates=50, reader=reader)
    assert routed(gate, "Who is Tom?", "Hi?") == ["tom", None]
    assert len(reader.pairs[0]) == 2


def test_a_correction_is_read_as_question_and_answer():
    corrected = fact("c", "No, that is wrong.", question="Which river is it?", thing="Parramatta")
    assert fact_text(corrected) == "Which river is it? Parramatta"
    assert fact_text(TOM) == "Tom is my friend."


TEACHER, HOME = fact("t", "My teacher is called Aurelio."), fact("h", "Aurelio lives in Groningen.")
TOWER = fact("w", "Groningen has a tall tower.")


def led(gate, question):
    (route,) = gate.route([question])
    return {*route.via, route.fact_id}


def test_a_question_that_two_facts_answer_together_is_led_through_both():
    question = "Where does my teacher live?"
    assert led(gate_of(TEACHER, HOME, MEETING, steps=1), question) == {None}
    assert led(gate_of(TEACHER, HOME, MEETING, steps=2), question) == {"t", "h"}


def test_the_last_fact_is_asked_with_the_name_that_led_to_it():
    (route,) = gate_of(HOME, TEACHER, MEETING, steps=2).route(["Where does my teacher live?"])
    assert (route.via, route.fact_id) == (("t",), "h")
    assert route.asked == "Where does Aurelio live?"
    (route,) = gate_of(HOME, TEACHER, MEETING, steps=2).route(["Where does Aurelio live?"])
    assert (route.fact_id, route.via, route.asked) == ("h", (), "")


def test_a_chain_whose_last_fact_answers_the_new_question_is_opened():
    class Strict(WordOverlap):
        """Two facts together say nothing to it."""

        def score(self, pairs):
            return np.where([text.count(".") > 1 for text, _ in pairs], 0, super().score(pairs))

    gate = gate_of(TEACHER, HOME, steps=2)
    gate.score = Strict().score
    assert led(gate, "Where does my teacher live?") == {"t", "h"}
    assert led(gate, "Who cuts the hair of that man?") == {None}


def test_a_question_that_one_fact_answers_is_led_no_further():
    gate = gate_of(TEACHER, HOME, TOWER, steps=3)
    assert led(gate, "Where does Aurelio live?") == {"h"}
    assert led(gate, "What is my teacher called?") == {"t"}
    assert led(gate, "What is the capital of France?") == {None}


def test_a_chain_that_is_hardly_likelier_leaves_the_question_to_the_one_fact():
    """Asked for the name alone, "Who is Aurelio?" is a likely question too, and the wrong one."""
    for likelier, found in ((0.955, {"t"}), (0.99, {"t", "h"})):
        gate = gate_of(TEACHER, HOME, steps=2)
        score_of = {"My teacher is called Aurelio.": 0.95, "Aurelio lives in Groningen.": likelier}
        gate.score = lambda pairs, score_of=score_of: np.array(
            [
                score_of.get(told, 0) if ("Aurelio" in asked) == (told == HOME.text) else 0
                for told, asked in pairs
            ]
        )
        assert led(gate, "What is the name of my teacher?") == found


def test_three_facts_are_joined_where_three_steps_are_allowed():
    class Sure(WordOverlap):
        """A chain of two answers well enough, one of three better."""

        def score(self, pairs):
            told = [0 if "today" in asked else text.count(".") for text, asked in pairs]
            return np.array([0.3 * count + 0.32 for count in told], np.float32)

    for steps, found in ((2, 2), (3, 3)):
        gate = gate_of(TEACHER, HOME, TOWER, steps=steps)
        gate.score = Sure().score
        assert len(led(gate, "How tall is the tower where my teacher lives?")) == found


def test_few_chains_are_read_however_many_facts_are_linked():
    reader = Counting()
    many = [fact(str(number), f"Aurelio met guest {number}.") for number in range(8)]
    gate = gate_of(TEACHER, *many, steps=2, chains=3, reader=reader)
    gate.route(["Whom did my teacher meet?"])
    # each with small talk too, and its last fact with the question put anew
    assert [len(pairs) for pairs in reader.pairs] == [4, 3 + 3 + 3]


def test_a_chain_that_opens_for_anything_opens_for_nothing():
    gate = gate_of(TEACHER, HOME, steps=2)
    gate.score = lambda pairs: np.array([0.95 * (t.count(".") > 1) for t, _ in pairs], np.float32)
    assert led(gate, "Where does my teacher live?") == {None}


def test_a_chain_begins_at_a_fact_that_is_near_the_question():
    gate = gate_of(TEACHER, HOME, steps=2)
    question = "Where does my teacher live?"
    assert led(gate, question) == {"t", "h"}
    gate.section = gate.section.model_copy(update={"min_similarity": 0.99})
    assert led(gate, question) == {None}
