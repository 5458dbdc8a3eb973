"""What counts as an answer, in whole words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fledgling.core.answers import contains, is_exact, normalise, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Parramatta\u00a0River!", "parramatta river"),
        ("ＡＢＣ ①", "abc 1"),
        ("An answer, a THE theatre", "answer theatre"),
        ("Straße_7", "strasse 7"),
        ("", ""),
        ("...!?", ""),
    ],
)
def test_normalisation(text, expected):
    assert normalise(text) == expected


def test_contains_any_of_the_answers_but_not_an_empty_one():
    assert contains("She lives in OSLO, I think.", ["Bergen", "oslo"])
    assert not contains("She lives in Bergen.", ["Oslo"])
    assert not contains("anything", ["", "the", "!"])
    assert not contains("anything", [])


def test_exact_is_nothing_but_the_answer():
    assert is_exact("The Oslo.", ["Oslo"])
    assert not is_exact("In Oslo.", ["Oslo"])


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("It was in 1385.", "85"),
        ("Annika did.", "Ann"),
        ("Her boyfriend.", "friend"),
        ("They are sisters-in-law.", "sister"),
    ],
)
def test_a_word_inside_another_word_is_not_said(text, answer):
    assert not contains(text, [answer])


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("An old, old friend's", "friend"),
        ("at 7:30 pm", "7.30"),
        ("mother-in-law", "Mother in law"),
    ],
)
def test_punctuation_parts_words(text, answer):
    assert contains(text, [answer])


@pytest.mark.parametrize(
    ("answer", "accepted", "found"),
    [
        ("He is her friend!", "a friend", True),
        ("It costs 3.5 euros", "5", False),
        ("It costs 3.5.", "3.5", True),
        ("There are 1,385 of them", "1385", True),
        ("on the Parramatta\u00a0River", "Parramatta River", True),
        ("the River, Parramatta", "Parramatta River", False),
        ("It is Anna’s.", "Anna", True),
        ("I don't know", "don’t", True),
        ("\ufb01ve", "five", True),
        ("Vitamin A is found in carrots", "vitamin A", True),
        ("Vitamin C", "vitamin A", False),
        ("B12", "12", False),
        ("anything", "", False),
        ("anything", "?!", False),
        ("", "a", False),
    ],
)
def test_whole_words_are_counted(answer: str, accepted: str, found: bool) -> None:
    assert contains(answer, [accepted]) is found


@given(st.text(max_size=60))
def test_a_text_stands_between_other_words_and_in_itself(text: str) -> None:
    assert contains(f"x {text} y", [text]) is contains(text, [text]) is bool(normalise(text))
    assert is_exact(text, [text]) and len(normalise(text).split()) <= len(words(text))
