"""What a reader makes of a turn: chances by token, read off for a phrase."""

import numpy as np
import pytest

from fledgling.feedback.judging.corrections import candidates
from fledgling.feedback.judging.judge import turn_of
from fledgling.feedback.judging.signals import Exchange
from fledgling.feedback.judging.span_reader import Reading, load_span_reader, read_spans

TURN = "no, Canberra surely"


@pytest.fixture
def reading() -> Reading:
    """It expects the answer to begin and to end with the second word."""
    places = np.array([[0, 2], [2, 3], [4, 12], [13, 19]])
    chances = np.log([0.01, 0.01, 0.9, 0.08])
    return Reading(places, chances, chances)


def test_the_phrase_where_the_answer_is_expected_speaks_for_itself(reading):
    right, wrong = reading.features(4, 12), reading.features(13, 19)
    assert right["read_begins"] > wrong["read_begins"]
    assert right["read_ends"] > wrong["read_ends"]
    assert min(wrong.values()) >= -1.0 and max(right.values()) <= 1.0


def test_a_phrase_beyond_what_was_read_counts_least(reading):
    assert reading.features(40, 45)["read_begins"] == -1.0


def test_every_candidate_carries_what_the_reader_says_of_it(reading, language):
    found = dict(candidates(TURN, "What is the capital?", "Sydney.", language, reading))
    assert found["Canberra"]["read_begins"] == pytest.approx(np.log(0.9) / 6 + 1)
    bare = dict(candidates(TURN, "What is the capital?", "Sydney.", language))
    assert "read_begins" not in bare["Canberra"]


@pytest.mark.parametrize(
    ("reaction", "answer"),
    [("Try Canberra.", "Canberra"), ("It should say Canberra, not Sydney.", "Canberra")],
)
def test_the_packaged_reader_points_at_the_answer(reaction, answer):
    exchange = Exchange("What is the capital of Australia?", "Sydney.", reaction)
    (found,) = read_spans(load_span_reader(), [turn_of(exchange)])
    at = reaction.index(answer)
    right = sum(found.features(at, at + len(answer)).values())
    for word in ("Try", "Sydney", "should"):
        if word in reaction:
            start = reaction.index(word)
            assert right > sum(found.features(start, start + len(word)).values())


def test_a_turn_too_long_for_the_reader_and_an_empty_one_are_read(reading):
    long = Exchange("q" * 5000, "r" * 5000, "no, it is Rome " + "and so on " * 500)
    for exchange in (long, Exchange("?", "", ""), Exchange("", "", None)):
        (found,) = read_spans(load_span_reader(), [turn_of(exchange)])
        assert np.isfinite(found.begins).all() and len(found.begins) == len(found.places)
