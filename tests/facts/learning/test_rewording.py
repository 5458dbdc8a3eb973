"""Other words for a question, drawn repeatably, with nothing in them that it did not hold."""

import random
import re

import pytest

from fledgling.facts.learning.rewording import reword

QUESTION = "Where does my sister Lena keep the spare key?"


def words_of(text):
    return set(re.findall(r"\w+", text))


@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_added_but_an_opening(seed):
    said = reword(QUESTION, ["Listen, {question}"], random.Random(seed))
    assert words_of(said) - {"Listen"} <= words_of(QUESTION)


def test_something_of_what_it_asks_about_stays():
    kept = [
        words_of(reword(QUESTION, [], random.Random(seed)))
        & {"sister", "Lena", "keep", "spare", "key"}
        for seed in range(200)
    ]
    assert all(kept)
    assert len({frozenset(each) for each in kept}) > 5


def test_a_question_of_function_words_stays_a_question():
    for seed in range(20):
        assert reword("Who is it?", [], random.Random(seed))


def test_the_same_randomness_gives_the_same_words():
    assert reword(QUESTION, ["So, {question}"], random.Random(3)) == reword(
        QUESTION, ["So, {question}"], random.Random(3)
    )
