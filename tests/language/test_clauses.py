"""A turn in its statements."""

import time

import pytest

from fledgling.core.files import read_jsonl
from fledgling.core.paths import DATA
from fledgling.language.clauses import split_turn
from fledgling.language.sentences import split_sentences


def alone(turn: str) -> list[str]:
    return [piece.alone.rstrip(".!") for piece in split_turn(split_sentences(turn))]


@pytest.mark.parametrize(
    "said", ["IM 0;!", "I am Bea, !", "Lena lives in Oslo; ...", ",\n is", "n't called I'm name"]
)
def test_marks_alone_are_no_statement(said: str) -> None:
    (piece,) = split_turn([said])
    assert piece.said == said


@pytest.mark.parametrize(
    ("turn", "statements"),
    [
        ("Lena is 30 and works in Bonn.", ["Lena is 30", "Lena works in Bonn"]),
        ("Jo bakes, coaches chess, loves figs", ["Jo bakes", "Jo coaches chess", "Jo loves figs"]),
        ("Ada moved to Hull, my aunt to Bath", ["Ada moved to Hull", "my aunt moved to Bath"]),
        ("Ida is five and Bo seven", ["Ida is five", "Bo is seven"]),
        ("my dad fixed clocks, born 1944", ["my dad fixed clocks", "my dad was born 1944"]),
        ("my shift ends at 4, Jo's at 6", ["my shift ends at 4", "Jo's shift ends at 6"]),
        ("I'm tall, my son isn't", ["I'm tall", "my son isn't tall"]),
        (
            "we own a hut in Skien and a boat in Moss",
            ["we own a hut in Skien", "we own a boat in Moss"],
        ),
    ],
)
def test_what_is_left_out_is_taken_from_before(turn: str, statements: list[str]) -> None:
    assert alone(turn) == statements


@pytest.mark.parametrize(
    ("turn", "statements"),
    [
        ("My aunt, who is a judge, paints.", ["My aunt is a judge", "My aunt paints"]),
        ("Lev, my cook, sails to Kos", ["Lev is my cook", "Lev sails to Kos"]),
        (
            "my boss (Ana, from Porto) retires in May",
            ["my boss Ana is from Porto", "my boss Ana retires in May"],
        ),
        ("my nan, right, she's 84", ["my nan is 84"]),
        ("my vet, she's called Mo, is in Ely", ["my vet is called Mo", "my vet is in Ely"]),
        ("our plumber, Cyril, tunes pianos", ["our plumber, Cyril, tunes pianos"]),
        (
            "my cousin lives with a guy who plays golf",
            ["my cousin lives with a guy who plays golf"],
        ),
    ],
)
def test_asides(turn: str, statements: list[str]) -> None:
    assert alone(turn) == statements


@pytest.mark.parametrize(
    ("turn", "last"),
    [
        ("My boss is Vera. Her office is small. She hates lifts.", "my boss Vera hates lifts"),
        ("I have a horse called Nut. I keep her in Alton.", "I keep my horse Nut in Alton"),
        ("The Khans have a rooster. It crows at four.", "the Khans' rooster crows at four"),
        ("I met Jo in Kiel, he was a guide there", "Jo was a guide in Kiel"),
        ("My brother got engaged! Her name is Petra.", "Her name is Petra"),
        ("My dog is old. It's raining.", "It's raining"),
        ("He is my boss and she is my aunt", "she is my aunt"),
    ],
)
def test_whom_a_pronoun_means(turn: str, last: str) -> None:
    assert alone(turn)[-1] == last


@pytest.mark.parametrize(
    ("turn", "count"),
    [
        ("my flatmate is called Idris he is from Mombasa", 2),
        ("I live in Namur my wife works in Dinant", 2),
        ("Kai has asthma also he's scared of dogs", 2),
        ("my dad is a roofer btw my mum is a judge", 2),
        ("I love the car he bought in May", 1),
        ("can you confirm my seat is 22A", 1),
        ("Her name is Sunniva, my niece", 1),
        ("grandpa used to tell us he was born at sea", 1),
        ("I'm so rich I use banknotes", 1),
        ("sample sentence: my aunt lives in Kyoto", 1),
        ("My flat is on the third floor, left door, no lift", 1),
        ("My favourite foods are rice, beans and my mum's stew", 1),
        ("I go to Lund in May and Malmö in June", 1),
        ("My dad taught me to sail, fish and swim", 1),
    ],
)
def test_how_many_statements_there_are(turn: str, count: int) -> None:
    assert len(alone(turn)) == count


@pytest.mark.parametrize("name", ["several_tuning", "several_validation"])
def test_as_many_statements_as_a_turn_holds(name: str) -> None:
    told = [row for _, row in read_jsonl(DATA / "language" / f"{name}.jsonl")]
    # The other families are turns that no rule was made for.
    rows = [row for row in told if row["family"].startswith("several_")]
    whole = [row for row in rows if row["facts"] == 1]
    several = [row for row in rows if row["facts"] > 1]
    # What surrounds the facts (greetings, questions) is a piece too, so only too few is wrong.
    enough = sum(len(alone(row["text"])) >= row["facts"] for row in several)
    assert enough >= 0.75 * len(several)
    assert sum(len(alone(row["text"])) > 2 for row in whole) <= 1


@pytest.mark.parametrize(
    "text", [("Tom is 5, Ana (my aunt) she is old and " * 15)[:600], "— " * 1200]
)
def test_a_turn_of_many_joints_is_quick(text: str) -> None:
    start = time.perf_counter()
    split_turn([text])
    assert time.perf_counter() - start < 2.0
