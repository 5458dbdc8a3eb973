"""Perspective: pronouns, agreement, lead-ins, quotes and names."""

import pytest

from fledgling.language.perspective import strip_lead_in, to_assistant, to_user


@pytest.mark.parametrize(
    ("said", "back"),
    [
        ("Tom is my friend.", "Tom is your friend."),
        ("I am a nurse", "You are a nurse."),
        ("I'm a nurse", "You're a nurse."),
        ("I've got two dogs and my wife loves me", "You've got two dogs and your wife loves you."),
        ("I was born in Oslo!", "You were born in Oslo."),
        ("I wasn't there", "You weren't there."),
        ("My brother and I were late", "Your brother and you were late."),
        ("the red bike is mine", "The red bike is yours."),
        ("We live in our boat by ourselves", "You live in your boat by yourselves."),
        ("I told you that I am ill", "You told me that you are ill."),
        ("You are talking to me and I was ill", "I am talking to you and you were ill."),
        ('The song "I am my own" is mine', 'The song "I am my own" is yours.'),
        ("Charles I was a king", "Charles I was a king."),
        ("Before work I always drink tea", "Before work you always drink tea."),
        ("", ""),
    ],
)
def test_to_assistant(said, back):
    assert to_assistant(said) == back


@pytest.mark.parametrize(
    "lead_in",
    [
        "By the way, ",
        "Remember that ",
        "Just so you know, ",
        "FYI ",
        "Please note that ",
        "ok so ",
        "btw ",
        "Keep in mind that ",
        "I want you to know that ",
        "For the record, ",
        "Don't forget that ",
        "Well, ",
    ],
)
def test_lead_ins_are_dropped(lead_in):
    assert to_assistant(lead_in + "my desk is blue") == "Your desk is blue."


@pytest.mark.parametrize(
    "text", ["Remembrance Day is in November", "Okafor is a doctor", "Sofia is tall", "Note it"]
)
def test_words_that_only_look_like_lead_ins_stay(text):
    assert strip_lead_in(text) == text


@pytest.mark.parametrize(
    "text", ["Tom is my friend.", "I was born in Oslo.", "My sister loves me.", "I am a nurse."]
)
def test_there_and_back(text):
    assert to_user(to_assistant(text)) == text
