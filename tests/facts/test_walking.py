"""A question led from one fact to the next."""

from fledgling.core.records import Fact
from fledgling.facts.gate.gate import Route
from fledgling.facts.walking import next_questions, walk

TEACHER = Fact("a", "", "", subject="My teacher", object="Aurelio")
HOME = Fact("b", "", "", subject="Aurelio", object="in Groningen")
TRADE = Fact("c", "", "", subject="Bruno", object="a stuntman")
MINE = Fact("d", "", "", subject="I", object="a goat")


def gate(known):
    """Opens the facts of ``known`` (question → id, probability), and nothing else."""
    return lambda asked: [Route(*known.get(question, (None, 0.0))) for question in asked]


def asked(question, *facts):
    return [after for _, after in next_questions(question, facts)]


def test_the_other_side_is_put_where_one_side_is_named():
    assert asked("Where does my teacher live?", TEACHER) == ["Where does Aurelio live?"]
    assert asked("Who is the stuntman's boss?", TRADE) == ["Who is Bruno's boss?"]
    assert asked("my teacher: which city?", TEACHER) == ["Aurelio: which city?"]


def test_nobody_and_parts_of_words_are_not_named():
    assert asked("What do I keep?", MINE) == []
    assert asked("Where do my teachers live?", TEACHER) == []
    assert asked("Is my teacher Aurelio?", TEACHER) == []


def test_the_gate_decides_where_a_question_leads():
    known = {"Where does Aurelio live?": ("b", 0.9)}
    route = walk("Where does my teacher live?", Route(None, 0.2), [TEACHER, HOME], gate(known), 2)
    assert (route.fact_id, route.probability, route.via) == ("b", 0.9, ("a",))


def test_a_question_that_is_answered_better_as_it_stands_stays():
    known = {"Where does Aurelio live?": ("b", 0.9)}
    as_it_is = Route("a", 0.95)
    facts = [TEACHER, HOME]
    assert walk("Where does my teacher live?", as_it_is, facts, gate(known), 2) is as_it_is
    assert walk("Where does my teacher live?", as_it_is, facts, gate({}), 3) is as_it_is


def test_three_facts_are_joined_where_three_are_allowed():
    city = Fact("e", "", "", subject="The city of my aunt", object="my teacher")
    known = {"Where does my teacher live?": ("a", 0.5), "Where does Aurelio live?": ("b", 0.9)}
    question = "Where does the city of my aunt live?"
    facts = [city, TEACHER, HOME]
    assert walk(question, Route(None, 0.0), facts, gate(known), 2).via == ("e",)
    route = walk(question, Route(None, 0.0), facts, gate(known), 3)
    assert (route.fact_id, route.via) == ("b", ("e", "a"))
