"""Token weights on answers worked out by hand."""

import pytest

from fledgling.facts.learning.token_weights import token_weights
from fledgling.facts.settings import TokenWeightsSection

SECTION = TokenWeightsSection(
    entity=3.0, content=2.0, filler=0.5, repeated=0.1, first=1.0, by_row=False
)


def words(text):
    """(start, end) of each word of ``text``."""
    offsets, start = [], 0
    for word in text.split(" "):
        offsets.append((start, start + len(word)))
        start += len(word) + 1
    return offsets


def weigh(text, section=SECTION, **options):
    return token_weights(text, words(text), section, **options)


def test_entity_content_filler_and_repeated_by_hand():
    answer = "Lena lives in Oslo ."
    assert weigh(answer) == [2.0, 2.0, 0.5, 2.0, 0.5]
    assert weigh(answer, entities=["Oslo"]) == [2.0, 2.0, 0.5, 3.0, 0.5]
    weights = weigh(answer, entities=["Oslo", "Lena"], prompt="Where does Lena live?")
    assert weights == pytest.approx(
        [0.3, 2.0, 0.5, 3.0, 0.5]
    )  # "lives" is not the "live" of the prompt


def test_the_first_token_factor_falls_linearly_to_one():
    section = SECTION.model_copy(update={"first": 5.0, "content": 1.0})
    assert weigh("red green blue", section) == [5.0, 3.0, 1.0]
    assert weigh("red", section) == [5.0]


def test_an_entity_is_matched_whatever_its_case_and_over_several_words():
    assert weigh("the new york office", entities=["New York"]) == [0.5, 3.0, 3.0, 2.0]


def test_a_token_that_is_part_of_a_word_weighs_like_the_word():
    offsets = [(0, 2), (2, 4), (4, 6), (7, 11)]  # "Os" "lo" "er" "city"
    assert token_weights("Osloer city", offsets, SECTION, entities=["Osloer"]) == [
        3.0,
        3.0,
        3.0,
        2.0,
    ]


def test_an_entity_with_signs_of_a_pattern_is_taken_literally():
    assert weigh("a C++ (dev) job", entities=["C++ (dev)", ""]) == [0.5, 3.0, 3.0, 2.0]


def test_one_weight_a_token_and_none_without_tokens():
    assert token_weights("", [], SECTION) == []
    assert len(weigh("🙂 ünï 北京")) == 3
