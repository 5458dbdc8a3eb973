"""Each rule of scoring on replies that are right, wrong, evasive and echoing."""

import pytest

from fledgling.facts.measuring.scoring import is_right
from fledgling.facts.measuring.streams import Probe

TOLD = "Bruno is a stuntman."


def use(form, answers, wrong=()):
    return Probe("use", "?", answers, form=form, wrong=wrong)


@pytest.mark.parametrize(
    ("probe", "right", "not_right"),
    [
        (
            Probe("direct", "?", ("stuntman",)),
            ["Stuntman.", TOLD, "He works as a stuntman, I think."],
            [
                "He is a teacher.",
                "You have not told me that.",
                "He leads stuntmanship classes.",
                "",
            ],
        ),
        (
            use("yes_no", ("yes",)),
            ["Yes.", "yes", "Yes, he is a stuntman."],
            ["No.", TOLD, "Yes and no.", "You have not told me that.", "I'd say yes.", ""],
        ),
        (
            use("yes_no", ("no",)),
            ["No.", "No, he is a stuntman."],
            ["Yes.", TOLD, "Not that I know.", "You have not told me that.", ""],
        ),
        (
            use("one_word", ("stuntman", "stunt man")),
            ["Stuntman", "stunt man.", "A stuntman.", "Stuntman, as you said."],
            [TOLD, "Teacher.", "Stuntman or actor.", "You have not told me that.", ""],
        ),
        (
            use("choice", ("stunt", "stuntman"), ("tooth",)),
            ["A stunt.", TOLD, "To do a stunt."],
            ["A tooth.", "A stunt or a tooth.", "You have not told me that.", ""],
        ),
        (
            use("in_passing", ("stuntman",)),
            ["Name: Bruno. Occupation: stuntman.", "Dear stuntman, happy birthday!"],
            [TOLD, "stuntman", "Dear friend, happy birthday!", "You have not told me that.", ""],
        ),
        (
            use("two_facts", ("Ragnhild",)),
            ["Ragnhild Stroud.", "His boss is Ragnhild."],
            [TOLD, "His boss is Bruno.", "You have not told me that.", ""],
        ),
    ],
    ids=["direct", "yes", "no", "one_word", "choice", "in_passing", "two_facts"],
)
def test_right_wrong_evasive_and_echoing_replies(probe, right, not_right):
    assert [is_right(probe, reply, stated=[TOLD]) for reply in right] == [True] * len(right)
    assert [is_right(probe, reply, stated=[TOLD]) for reply in not_right] == [False] * len(
        not_right
    )


def test_in_passing_needs_words_of_its_own():
    assert not is_right(use("in_passing", ("stuntman",)), "Bruno, a stuntman", stated=[TOLD])
    assert is_right(use("in_passing", ("stuntman",)), "To my dear stuntman", stated=[TOLD])
