"""Reading exercises: each is solved again from its text alone, and no item is in two splits."""

import string

import numpy as np
import pytest

from fledgling.tasks.data.examples import TaskExample, shared_items
from fledgling.tasks.data.kindergarten import SKILLS, divide_words, kindergarten, read_words

SHARES = (0.1, 0.1)


def solve(text: str) -> str:
    """A second, independent reading of every exercise."""
    words = text.split()
    match words:
        case ["first", "letter", "of", word]:
            return word[0]
        case ["last", "letter", "of", word]:
            return word[-1]
        case [("second" | "third") as place, "letter", "of", word]:
            return word[1 if place == "second" else 2]
        case [gap, "from", letters]:
            rest = list(letters)
            for letter in gap.replace("_", ""):
                rest.remove(letter)
            assert len(rest) == 1
            return rest[0]
        case ["abc", ("after" | "before") as side, "first", "of", word]:
            return chr(ord(word[0]) + (1 if side == "after" else -1))
        case ["make", "small", word]:
            return next(letter for letter in word if letter.isupper()).lower()
        case ["odd", "one", *letters]:
            return next(letter for letter in letters if letters.count(letter) == 1)
        case ["picture:", _, word, "starts"]:
            return word[0]
        case ["rhyme", one, two, "ends"]:
            assert one[-1] == two[-1]
            return one[-1]
        case ["rhyme", one, two, "vowel"]:
            ending = ""
            while one.endswith(two[len(two) - len(ending) - 1 :]) and len(ending) < min(
                len(one), len(two)
            ):
                ending = two[len(two) - len(ending) - 1 :]
            return next((letter for letter in ending if letter in "aeiou"), "y")
    raise AssertionError(text)


@pytest.fixture(scope="module", params=[0, 11])
def splits(request: pytest.FixtureRequest):
    return kindergarten(seed=request.param, train=120, held_out=30, shares=SHARES)


def test_every_exercise_can_be_solved_from_its_text(splits) -> None:
    for part in splits.parts().values():
        for example in part:
            assert solve(example.text) == example.answer, example


def test_no_item_is_in_two_splits(splits) -> None:
    assert shared_items(splits) == set()


def test_no_test_word_occurs_in_a_training_text(splits) -> None:
    words = {word for line in read_words("rhymes") + read_words("early_readers") for word in line}
    tested = {item for example in splits.test for item in example.items} & words
    trained = {item for example in splits.train for item in example.items}
    assert len(tested) > 50
    assert not tested & trained


def test_rhyming_families_are_not_divided() -> None:
    by_split = divide_words(SHARES, np.random.default_rng(0))
    for family in read_words("rhymes"):
        assert sum(bool(set(family) & set(words.words)) for words in by_split.values()) == 1


def test_all_skills_and_levels_are_there(splits) -> None:
    for part in splits.parts().values():
        assert {example.skill for example in part} == set(SKILLS)
    assert {example.level for example in splits.train} == {1, 2, 3}


def test_the_same_seed_gives_the_same_exercises() -> None:
    one, two, three = (
        kindergarten(seed=seed, train=5, held_out=5, shares=SHARES) for seed in (1, 1, 2)
    )
    assert one == two
    assert one.test != three.test


def test_no_exercise_is_given_twice(splits) -> None:
    texts = [example.text for part in splits.parts().values() for example in part]
    assert len(texts) == len(set(texts))


def test_the_word_list() -> None:
    words = [word for line in read_words("rhymes") + read_words("early_readers") for word in line]
    assert len(words) == len(set(words)) >= 400
    assert all(set(word) <= set(string.ascii_lowercase) for word in words)
    assert {word for line in read_words("pictures") for word in line} <= set(words)


def test_an_answer_is_one_of_the_classes(splits) -> None:
    assert splits.classes == tuple(string.ascii_lowercase)
    assert all(
        isinstance(example, TaskExample) and example.answer in splits.classes
        for example in splits.train
    )
