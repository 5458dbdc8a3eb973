import pytest
from hypothesis import given
from hypothesis import strategies as some

from fledgling.core.errors import DataError
from fledgling.feedback.judging.grammar import read_grammar
from fledgling.feedback.judging.turns import MAX_CHARACTERS, read_turn


def clauses(said):
    """The words of each clause, without those that only open it."""
    turn = read_turn(said)
    return [
        " ".join(turn.tokens[place].text for place in clause.places)
        for clause in turn.clauses.values()
    ]


def kinds(said):
    return {token.word: token.kind for token in read_turn(said).tokens}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("No, it's Canberra.", ["it 's Canberra"]),
        ("Kr is krypton, K stands for potassium", ["Kr is krypton", "K stands for potassium"]),
        ("it was Ada but now it's Eve", ["it was Ada", "but now it 's Eve"]),
        ("they give off one and take in the other", ["they give off one", "and take in the other"]),
        ("red and blue", ["red and blue"]),
        ("417 not 471", ["417", "not 471"]),
        ("70 says my watch", ["70", "says my watch"]),
        ("32 (128 is the other)", ["32", "128 is the other"]),
        ("wrong: 1,200 — or 12:30", ["1,200", "or 12:30"]),
        ("meet Mr. Weiss at 5", ["meet Mr. Weiss at 5"]),
        ("pine nuts instead of almonds", ["pine nuts", "instead of almonds"]),
        ("no its 14E", ["it 's 14E"]),
        ("no", []),
    ],
)
def test_clauses_are_told_apart(said, expected):
    assert clauses(said) == expected


def test_what_only_opens_is_left_out():
    assert clauses("sorry, that's wrong, you mean Oslo") == ["Oslo"]
    assert clauses("urban legend. it flows") == ["it flows"]
    assert clauses("I think the wrong answer is 7") == ["the wrong answer is 7"]


def test_the_words_beside_tell_the_kind():
    assert kinds("wind farms")["farms"] == "other"
    assert kinds("the rent was raised")["rent"] == "other"
    assert kinds("moved to Thursday")["moved"] == "verb"
    assert kinds("geologists study rocks")["study"] == "verb"
    assert kinds("take the tram")["take"] == "verb"
    assert kinds("it was blue last year")["last"] == "adverb"
    assert kinds("two years ago")["two"] == "adverb"
    assert kinds("at least ten") == {"at": "adverb", "least": "adverb", "ten": "number"}
    assert kinds('before "and"')["and"] == "other"
    assert kinds("seven")["seven"] == kinds("B12")["b12"] == "number"


def test_a_clause_says_what_it_does():
    first, second = read_turn("that isn't it, because you swapped them").clauses.values()
    assert first.negated and not first.reason and not first.objects
    assert second.reason and second.objects and not second.negated
    assert read_turn("it has three").clauses[0].verb == 1


@given(some.text(max_size=300))
def test_any_text_is_cut_into_tokens_of_the_text(said):
    turn = read_turn(said)
    assert all(turn.text[token.start : token.end] == token.text for token in turn.tokens)
    assert len(turn.tokens) == len(turn.clause_of) == len(turn.opens)
    inside = [place for clause in turn.clauses.values() for place in clause.places]
    assert inside == [place for place, opens in enumerate(turn.opens) if not opens]


def test_only_the_beginning_of_a_long_turn_is_read():
    assert len(read_turn("word " * 1000).text) <= MAX_CHARACTERS


def test_a_broken_expression_is_named(tmp_path):
    path = tmp_path / "answers.yaml"
    path.write_text("kinds: {be: is}\nopening_phrases: ['(']\n")
    with pytest.raises(DataError, match=r"answers\.yaml"):
        read_grammar(path)
