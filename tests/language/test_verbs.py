"""Verb forms: doubled consonants, irregular verbs, nouns that are no verbs."""

import pytest

from fledgling.language.verbs import base_of, conjugated, guessed_base, is_only_base, third_person


@pytest.mark.parametrize(
    ("form", "base"),
    [
        ("stopped", "stop"),
        ("dropped", "drop"),
        ("studies", "study"),
        ("wrote", "write"),
        ("written", "write"),
        ("is", "be"),
        ("had", "have"),
        ("might", "might"),
        ("table", None),
        ("dogs", None),
        ("", None),
    ],
)
def test_base_of(form, base):
    assert base_of(form) == base


def test_forms_of_listed_and_unlisted_verbs():
    assert [third_person(base) for base in ("teach", "study", "have", "yodel")] == [
        "teaches",
        "studies",
        "has",
        "yodels",
    ]
    assert [guessed_base(form) for form in ("yodels", "driving", "kayaked")] == [
        "yodel",
        "drive",
        "kayak",
    ]
    assert conjugated("eat", like="does") == "eats"
    assert conjugated("eat", like="Did") == "ate"


def test_a_past_that_looks_like_a_base_form_is_finite():
    assert is_only_base("live") and is_only_base("come")
    assert not is_only_base("put") and not is_only_base("found")
