"""A correction has an answer of the asked kind, or it is none."""

import pytest

from fledgling.core.records import Turn
from fledgling.language.asking import KINDS, asked_kind, is_answer
from fledgling.language.facts import detect_all
from fledgling.settings import load_config

SECTION = load_config().language
AGE, HOME, PARTY = "How old is Rex?", "Where does Lena live?", "When is the party?"


@pytest.mark.parametrize("question", [AGE, HOME, PARTY])
@pytest.mark.parametrize(
    "said", ["it's raining here", "it's complicated", "well, not really", "it's late"]
)
def test_a_reaction_corrects_nothing(said: str, question: str) -> None:
    assert detect_all(Turn(said, previous_question=question), SECTION) == []


@pytest.mark.parametrize(
    ("said", "question", "answer"),
    [
        ("No, eleven.", AGE, "Eleven."),
        ("no, Tuesday", PARTY, "Tuesday."),
        ("No, Oslo.", HOME, "Oslo."),
    ],
)
def test_an_answer_of_the_asked_kind_corrects(said: str, question: str, answer: str) -> None:
    (fact,) = detect_all(Turn(said, previous_question=question), SECTION)
    assert (fact.kind, fact.statement, fact.exclusive) == ("correction", answer, True)


def test_a_day_is_no_age() -> None:
    assert not is_answer(AGE, "Tuesday") and is_answer(PARTY, "Tuesday")
    assert detect_all(Turn("no, Tuesday", previous_question=AGE), SECTION) == []


def test_every_kind_is_asked_for_by_some_question() -> None:
    asked = ("How many?", "When?", "What colour is it?", "Where is it?", "Who is it?", "Is it so?")
    assert tuple(asked_kind(question) for question in asked) == KINDS
    assert asked_kind("What is it?") == "thing"
