"""A turn in its statements."""

import pytest

from fledgling.language.clauses import split_turn


@pytest.mark.parametrize(
    "said", ["IM 0;!", "I am Bea, !", "Lena lives in Oslo; ...", ",\n is", "n't called I'm name"]
)
def test_marks_alone_are_no_statement(said: str) -> None:
    (piece,) = split_turn([said])
    assert piece.said == said


def test_what_takes_its_subject_from_before_stands_alone() -> None:
    alone = [piece.alone for piece in split_turn(["Lena is 30 and works in Bonn."])]
    assert alone == ["Lena is 30", "Lena works in Bonn."]
