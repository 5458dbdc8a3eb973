"""Arithmetic exercises: each is solved again from its text alone, and no pair or template is in two
splits.
"""

import re

import pytest

from fledgling.tasks.data.examples import TaskExample, shared_items
from fledgling.tasks.data.math import SKILLS, math, split_of_text
from fledgling.tasks.data.word_problems import frames

SHARES = (0.1, 0.1)
GAINING = ("got", "won", "found", "bought", "picked", "made")


def fits(shown: str, result: int) -> bool:
    """Whether ``8_`` can stand for the result."""
    return re.fullmatch(shown.replace("_", r"\d"), str(result)) is not None


def solve(example: TaskExample) -> int:
    """A second, independent reading of every exercise."""
    text, numbers = (
        example.text,
        [int(number) for number in re.findall(r"\d+(?!\d*_)", example.text)],
    )
    match example.skill:
        case "addition" | "subtraction" | "product":
            left, shown = text.split("=")
            result = eval(left.replace("×", "*"))
            assert fits(shown, result)
            return result % 10
        case "missing_operand":
            return next(
                digit
                for digit in range(10)
                if eval(text.replace("_", str(digit)).replace("=", "=="))
            )
        case "counting":
            wanted, objects = re.fullmatch(r"how many (.) in (.+)", text).groups()
            return objects.count(wanted)
        case "larger":
            return max(numbers) % 10
        case "sequence":
            shown, following = text.split()[-1], numbers[2] + numbers[1] - numbers[0]
            assert numbers[2] - numbers[1] == numbers[1] - numbers[0] and fits(shown, following)
            return following % 10
        case "word_problem":
            gains = any(verb in text for verb in GAINING)
            result = sum(numbers) if gains else max(numbers) - min(numbers)
            assert fits(re.search(r"\d*_", text).group(), result)
            return result % 10
    raise AssertionError(example)


@pytest.fixture(scope="module", params=[0, 5])
def splits(request: pytest.FixtureRequest):
    return math(seed=request.param, train=150, held_out=40, shares=SHARES)


def test_every_exercise_can_be_solved_from_its_text(splits) -> None:
    for part in splits.parts().values():
        for example in part:
            assert solve(example) == int(example.answer), example


def test_no_pair_template_or_arrangement_is_in_two_splits(splits) -> None:
    assert shared_items(splits) == set()


def test_held_out_templates_and_pairs_never_occur_in_training(splits) -> None:
    templates = {
        item
        for example in splits.test
        if example.skill == "word_problem"
        for item in example.items[1:]
    }
    assert len(templates) >= 5
    assert not templates & {item for example in splits.train for item in example.items}
    pairs = {example.items[0] for example in splits.test if example.skill != "counting"}
    shown = {
        " ".join(map(str, sorted(map(int, re.findall(r"\d+(?!\d*_)", example.text)))))
        for example in splits.train
        if example.skill in ("addition", "subtraction", "product", "larger", "word_problem")
    }
    assert len(pairs) > 50 and not pairs & shown


def test_all_skills_are_there_and_answers_have_one_digit(splits) -> None:
    for part in splits.parts().values():
        assert {example.skill for example in part} == set(SKILLS)
        assert all(len(example.answer) == 1 and example.answer.isdigit() for example in part)


def test_thousands_of_items_exist() -> None:
    train = math(seed=0, train=1500, held_out=10, shares=SHARES).train
    assert len({example.items[0] for example in train}) > 4000


def test_another_seed_gives_another_test() -> None:
    one, two, three = (math(seed=seed, train=5, held_out=5, shares=SHARES) for seed in (1, 1, 2))
    assert one == two
    assert {example.items for example in one.test} != {example.items for example in three.test}


def test_a_text_belongs_to_one_split_in_the_given_shares() -> None:
    names = [split_of_text(str(number), SHARES, salt=0) for number in range(2000)]
    assert 140 < names.count("test") < 260 and 140 < names.count("validation") < 260


def test_both_kinds_of_templates_are_many() -> None:
    assert {kind: len(some) for kind, some in frames().items()} == {"gains": 72, "losses": 72}
