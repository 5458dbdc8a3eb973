import pytest
from hypothesis import given
from hypothesis import strategies as some

from fledgling.core.errors import DataError
from fledgling.feedback.judging.classifier import Coefficients
from fledgling.feedback.judging.corrections import (
    candidates,
    fit_ranker,
    plain,
    rank,
    read_grammar,
)
from fledgling.settings import load_config

RANKER = Coefficients.load().ranker
LANGUAGE = load_config().language
CAPITAL = ("What is the capital of Australia?", "The capital of Australia is Sydney.")


def answer(reaction, prompt=CAPITAL[0], reply=CAPITAL[1]):
    return rank(reaction, prompt=prompt, reply=reply, weights=RANKER, language=LANGUAGE)[0][1]


@pytest.mark.parametrize(
    ("reaction", "right"),
    [
        ("No, it's Canberra.", "Canberra"),
        ("no, its canberra", "canberra"),
        ("wrong. canberra!", "canberra"),
        ("Canberra, not Sydney", "Canberra"),
        ("actually canberra is", "canberra"),
        ("you mean Canberra", "Canberra"),
        ("The capital is Canberra, you mixed it up", "Canberra"),
    ],
)
def test_the_answer_is_found_however_it_is_given(reaction, right):
    assert plain(answer(reaction)) == plain(right)


def test_numbers_are_found_with_what_belongs_to_them():
    question, reply = "When does the train leave?", "It leaves at 10:15."
    assert answer("its 10:45 since may", question, reply) == "10:45"
    assert answer("no, at half past ten", question, reply).endswith("half past ten")


def test_candidates_name_the_readings_that_propose_them():
    found = candidates("No, it's Canberra.", CAPITAL[0], LANGUAGE)
    assert {"it_is", "as_read"} <= found["Canberra"]
    assert "No" not in found


def test_a_turn_without_words_has_no_candidate():
    for reaction in ("", "...", "?!", "no", "the"):
        assert rank(reaction, prompt="a?", reply="b", weights=RANKER, language=LANGUAGE) == []


@given(some.text(max_size=200))
def test_no_text_breaks_the_reading_and_every_candidate_is_short(reaction):
    for _, text in rank(reaction, prompt="What?", reply="That.", weights=RANKER, language=LANGUAGE):
        assert len(text.split()) <= 10


def test_a_huge_turn_costs_bounded_time():
    assert len(candidates("no it is x " * 100_000, "What?", LANGUAGE)) < 200


def test_the_ranker_learns_what_the_cases_have_in_common():
    cases = [
        (f"question {n}", f"reply {n}", f"no, it is {word}", [word])
        for n, word in enumerate(["red", "green", "blue", "seven", "Ana", "Oslo"])
    ]
    weights = fit_ranker(cases, LANGUAGE, strength=10.0)
    best = rank(
        "no, it is yellow", prompt="question", reply="reply", weights=weights, language=LANGUAGE
    )[0][1]
    assert best == "yellow"


def test_a_broken_expression_is_named(tmp_path):
    path = tmp_path / "answers.yaml"
    path.write_text("denials: ['(']\nobjections: [a]\nrests: [a]\nreadings: {}\nbe: x\n")
    with pytest.raises(DataError, match=r"answers\.yaml"):
        read_grammar(path)
