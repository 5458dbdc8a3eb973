"""What counts as an answer, in whole words."""

import pytest

from fledgling.core.answers import contains, is_exact, normalise


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
