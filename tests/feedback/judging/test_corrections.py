import pytest
from hypothesis import given
from hypothesis import strategies as some

from fledgling.feedback.judging.classifier import Coefficients
from fledgling.feedback.judging.corrections import MAX_WORDS, candidates, fit_ranker, rank
from fledgling.feedback.judging.words import plain
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


@pytest.mark.parametrize(
    ("question", "reply", "reaction", "right"),
    [
        # which of two clauses: the one that is not about the reply's answer
        ("which element is K", "Krypton.", "Kr is krypton, K stands for potassium", "potassium"),
        ("cheese in Italian", "Queso.", "queso is Spanish, in Italian it's formaggio", "formaggio"),
        ("how many legs has a spider", "Six.", "insects have six, a spider has eight", "eight"),
        (
            "turnover in 2021?",
            "4.1 million.",
            "that was 2019, in 2021 it was 5.3 million",
            "5.3 million",
        ),
        (
            "what's the capital?",
            "Sydney.",
            "Canberra is the capital, Sydney is just the biggest",
            "Canberra",
        ),
        # where it begins and ends
        ("who lives at number 9", "The Moreaus.", "the Duvals do since last summer", "the Duvals"),
        ("how many bits", "128 bits.", "32 (128 is the newer one)", "32"),
        ("what's the pH range", "1 to 3.", "it's 6 to 8", "6 to 8"),
        ("when shall we meet", "Monday at 5.", "no, friday at 6", "friday at 6"),
        ("how do I copy a file", "mv a b", "mv would move it. you want cp a b", "cp a b"),
        ("spell it for me", "Halleran.", "it's spelled Halloran, with an o", "Halloran"),
        ("what was the code word", "Bluebell.", "bluebird mate", "bluebird"),
    ],
)
def test_the_answer_is_told_from_what_explains_it(question, reply, reaction, right):
    assert plain(answer(reaction, question, reply)) == plain(right)


def test_candidates_come_with_what_speaks_for_them():
    found = dict(candidates("No, it's Canberra.", *CAPITAL, LANGUAGE))
    assert set(found) == {"Canberra", "it's Canberra"}
    described = found["Canberra"]
    assert described["before_be"] == described["object_points"] == described["as_read"] == 1.0
    assert described["nothing_new"] == 0.0 and described["first_determiner"] == 0.0
    assert found["it's Canberra"]["has_verb"] == 1.0


def test_no_candidate_cuts_a_range_an_hour_a_quotation_or_spelled_letters():
    for said, whole in (
        ("it's 8 to 10", "8 to 10"),
        ("monday at 6", "monday at 6"),
        ('it starts "Land of hills"', '"Land of hills"'),
        ("C G D A", "C G D A"),
    ):
        found = [text for text, _ in candidates(said, "What?", "That.", LANGUAGE)]
        assert whole in found
        inside = set(whole.split()) - {"monday"}
        assert not inside & set(found)


def test_a_turn_without_words_has_no_candidate():
    for reaction in ("", "...", "?!", "no", "the"):
        assert rank(reaction, prompt="a?", reply="b", weights=RANKER, language=LANGUAGE) == []


@given(some.text(max_size=200))
def test_no_text_breaks_the_reading_and_every_candidate_is_short(reaction):
    for _, text in rank(reaction, prompt="What?", reply="That.", weights=RANKER, language=LANGUAGE):
        assert len(text.split()) <= MAX_WORDS


def test_a_huge_turn_costs_bounded_time():
    assert len(candidates("no it is x " * 100_000, "What?", "That.", LANGUAGE)) < 600


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
