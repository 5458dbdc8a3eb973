"""Clauses taken apart, and what can be asked about them."""

import pytest

from fledgling.language.grammar import split_clause
from fledgling.language.questions import subject_frames, wh_questions, yes_no
from fledgling.language.rephrasing import rephrased


@pytest.mark.parametrize(
    ("text", "subject", "verb", "rest", "negation"),
    [
        ("Lena lives in Oslo", "Lena", "lives", "in Oslo", ""),
        (
            "My sister who plays rugby lives in Oslo",
            "My sister who plays rugby",
            "lives",
            "in Oslo",
            "",
        ),
        ("I don't eat meat", "I", "eat", "meat", "not"),
        ("My wife doesn't eat mushrooms", "My wife", "eats", "mushrooms", "not"),
        ("Paula never smokes", "Paula", "smokes", "", "never"),
        ("I have never been to Japan", "I", "have", "been to Japan", "never"),
        ("My boss can't swim", "My boss", "can", "swim", "not"),
        ("Bruno is a plumber, isn't he", "Bruno", "is", "a plumber, isn't he", ""),
        ("I do like jazz", "I", "like", "jazz", ""),
    ],
)
def test_a_clause_and_what_it_denies(text, subject, verb, rest, negation):
    clause = split_clause(text)
    assert (clause.subject, clause.verb, clause.rest, clause.negation) == (
        subject,
        verb,
        rest,
        negation,
    )


@pytest.mark.parametrize("text", ["in Oslo", "hello", "", "a red bicycle with bells"])
def test_no_clause_is_guessed(text):
    assert split_clause(text) is None


@pytest.mark.parametrize(
    ("text", "asked", "whether"),
    [
        ("Lena lives in Oslo", "Where does Lena live?", "Does Lena live in Oslo?"),
        ("Gideon stopped smoking", "What did Gideon stop?", "Did Gideon stop smoking?"),
        ("I don't eat meat", "What do I not eat?", "Do I eat meat?"),
        (
            "Paula never drives at night",
            "When does Paula never drive?",
            "Does Paula drive at night?",
        ),
        ("I have never been to Japan", "What have I never been?", "Have I been to Japan?"),
        ("Priya is married to Stefan", "Who is Priya married to?", "Is Priya married to Stefan?"),
    ],
)
def test_questions_of_a_statement(text, asked, whether):
    clause = split_clause(text)
    assert wh_questions(clause)[0].direct == asked
    assert yes_no(clause) == whether


def test_the_statement_order_keeps_the_verb_as_it_was_said():
    assert wh_questions(split_clause("Gideon dropped maths"))[0].indirect == "what Gideon dropped"
    assert wh_questions(split_clause("My wife doesn't eat meat"))[0].indirect == (
        "what my wife does not eat"
    )


def test_another_subject_takes_its_own_verb():
    clause = split_clause("I have lived in Ghent")
    assert yes_no(clause, "Lena") == "Has Lena lived in Ghent?"


def test_frames_that_ask_for_the_subject():
    assert subject_frames(split_clause("Paula never smokes"))[0] == "Name who never smokes."
    assert subject_frames(split_clause("I live in Oslo")) == []


def test_rephrasing_keeps_what_is_asked():
    assert "Where was Chopin born? Please answer." in rephrased("Where was Chopin born?")
    assert "In which place was Chopin born?" in rephrased("Where was Chopin born?")
    assert "What is Norway's capital?" in rephrased("What is the capital of Norway?")
