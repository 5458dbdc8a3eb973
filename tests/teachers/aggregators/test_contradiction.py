"""Contradictions that embeddings miss, and paraphrases that must not be mistaken for them."""

import pytest

from fledgling.core.answers import normalise
from fledgling.settings import load_config
from fledgling.teachers.aggregators.agreement import holds
from fledgling.teachers.aggregators.contradiction import contradiction, exclusive_words, numbers

SECTION = load_config().teachers.agreement


@pytest.mark.parametrize(
    ("left", "right", "kind"),
    [
        ("He was born in 1889.", "He was not born in 1889.", "polarity"),
        ("Yes", "No", "polarity"),
        ("A whale isn't a fish.", "A whale is a fish.", "polarity"),
        ("Water boils at 100 degrees.", "It boils at ninety degrees.", "number"),
        ("Prices will rise next year.", "Prices will fall next year.", "opposite"),
        ("The largest planet is Saturn.", "The largest planet is Jupiter.", "opposite"),
        ("The capital of Peru is Lima.", "The capital of Peru is Cusco.", "name"),
        ("Lima is the capital of Peru.", "Cusco is the capital of Peru.", "name"),
    ],
)
def test_contradictions_are_found_both_ways(left: str, right: str, kind: str) -> None:
    assert contradiction(left, right, SECTION) == kind
    assert contradiction(right, left, SECTION) == kind


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Bats are mammals, not birds.", "Bats are mammals."),
        (
            "William Shakespeare wrote Hamlet.",
            "Hamlet was written by Shakespeare, the English playwright.",
        ),
        ("A year has twelve months.", "There are 12 months in a year."),
        ("Sunlight is scattered by the air.", "The air scatters the light of the sun."),
        ("Lima", "The capital of Peru is Lima."),
        ("1,000 metres", "1000 metres"),
        ("Japan's capital is Tokyo.", "The capital of Japan is Tokyo."),
    ],
)
def test_paraphrases_do_not_contradict(left: str, right: str) -> None:
    assert contradiction(left, right, SECTION) is None


def test_numbers_and_words_are_normalised_alike() -> None:
    assert numbers("Twenty-one") == {20.0, 1.0} - {1.0}  # a lone "one" is no number
    assert numbers("It costs −3.5 or 1,200") == {-3.5, 1200.0}
    assert normalise("The  ÉCLAIR, an é") == "éclair é"
    assert normalise("ﬁve") == "five"  # NFKC


@pytest.mark.parametrize(
    ("text", "answer", "found"),
    [
        ("It has 16 legs", "6", False),
        ("It has six legs", "6", True),
        ("the Parisians", "Paris", False),
        ("in Paris, of course", "Paris", True),
        ("100 degrees", "10", False),
    ],
)
def test_an_answer_stands_in_a_text_as_whole_words(text: str, answer: str, found: bool) -> None:
    assert holds(text, answer) is found


def test_exclusive_words_are_lower_case_and_in_sets_of_two_or_more() -> None:
    sets: dict[int, int] = {}
    for word, numbers_ in exclusive_words().items():
        assert word == word.casefold()
        for number in numbers_:
            sets[number] = sets.get(number, 0) + 1
    assert min(sets.values()) >= 2
