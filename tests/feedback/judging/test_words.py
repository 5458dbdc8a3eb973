import pytest

from fledgling.feedback.judging.words import alike, plain, shape, stem, value_of, words_of


def test_words_keep_what_belongs_to_them():
    assert words_of("It's 10:45, at 5% of 1,200!") == ["it's", "10:45", "at", "5%", "of", "1,200"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("painted", "painter", True),
        ("longest", "longer", True),
        ("anna's", "anna", True),
        ("eight", "8", True),
        ("cat", "cow", False),
    ],
)
def test_stems_tell_words_of_one_root(one, other, same):
    assert (stem(one) == stem(other)) is same


def test_numbers_have_their_value_and_other_words_themselves():
    assert [value_of(word) for word in ("zero", "twenty", "oslo")] == ["0", "20", "oslo"]


def test_shapes_show_what_stands_where():
    assert shape("14C") == shape("14E") != shape("C14")
    assert shape("Todo.txt") == "Aa.a"


def test_a_phrase_is_compared_without_article_quotes_and_case():
    assert plain(' "The Yen". ') == plain("yen") != plain("yuan")


def test_only_words_that_look_alike_count():
    assert alike(["tim"], ["tom", "zebra"]) == pytest.approx(2 / 3)
    assert alike(["tim"], ["zebra"]) == alike([], ["tom"]) == 0.0
