import json
from collections import Counter

import pytest

from fledgling.core.errors import DataError
from fledgling.feedback.judging.corrections import plain
from fledgling.feedback.judging.dialogues import (
    HARD,
    HELD_OUT,
    LABELS,
    TRAIN,
    VALIDATION,
    read_corrections,
    read_dialogues,
    read_exchanges,
)


def test_the_promises_of_the_data():
    train, held_out = read_dialogues(TRAIN), read_dialogues(HELD_OUT)
    assert len(train) + len(held_out) >= 600
    assert len(held_out) >= (len(train) + len(held_out)) / 3
    assert not {one.dialogue for one in train} & {one.dialogue for one in held_out}
    for split in (train, held_out):
        assert min(Counter(one.label for one in split).values()) >= 30


def test_no_held_out_turn_with_words_of_its_own_is_in_the_training_data():
    fitted = read_dialogues(TRAIN) + read_exchanges() + read_corrections(TRAIN)
    fitted += read_dialogues(TRAIN, HARD)
    train = {one.exchange.reaction.lower() for one in fitted}
    held_out = {one.exchange.reaction.lower() for one in read_dialogues(HELD_OUT)}
    assert all(len(turn.split()) <= 3 for turn in train & held_out)


def test_hard_dialogues_that_are_scored_are_not_fitted():
    train, scored = read_dialogues(TRAIN, HARD), read_dialogues(VALIDATION, HARD)
    assert len(scored) >= 180 and not read_dialogues(HELD_OUT, HARD)
    assert not {one.dialogue for one in train} & {one.dialogue for one in scored}
    assert min(Counter(one.label for one in scored).values()) >= 25


def test_the_corrections_that_are_scored_are_not_those_that_are_fitted():
    fitted = read_dialogues(TRAIN) + read_exchanges() + read_corrections(TRAIN)
    scored = read_corrections(VALIDATION)
    assert len(scored) >= 90
    assert not {one.exchange.reaction for one in fitted} & {one.exchange.reaction for one in scored}


def test_every_correction_holds_its_answer_and_nothing_else_has_one():
    singles = read_exchanges() + read_corrections(TRAIN) + read_corrections(VALIDATION)
    hard = read_dialogues(TRAIN, HARD) + read_dialogues(VALIDATION, HARD)
    for one in read_dialogues(TRAIN) + read_dialogues(HELD_OUT) + hard + singles:
        assert one.label in LABELS
        assert bool(one.answers) == (one.label == "correction")
        assert all(plain(answer) in plain(one.exchange.reaction) for answer in one.answers[:1])


def test_what_was_said_before_and_the_better_reply_come_along(tmp_path):
    turns = [
        {"user": "one", "reply": "a"},
        {"user": "two", "label": "neutral", "reply": "b"},
        {"user": "bad", "label": "negative", "reply": "c"},
        {"user": "thanks", "label": "positive"},
    ]
    path = tmp_path / "dialogues.jsonl"
    path.write_text(json.dumps({"id": "x", "split": TRAIN, "turns": turns}))
    first, second, third = read_dialogues(TRAIN, path)
    assert (first.exchange.prompt, first.exchange.reaction, first.history) == ("one", "two", ())
    assert second.history == (("one", "a"),) and (second.better, second.liked) == ("c", True)
    assert third.label == "positive" and third.better == ""


@pytest.mark.parametrize(
    ("turns", "complaint"),
    [
        ([{"user": "a", "reply": "b"}, {"user": "c"}], "label"),
        ([{"user": "a"}, {"user": "c", "label": "neutral"}], "reply"),
        ([{"user": "a", "reply": "b"}, {"user": "c", "label": "great"}], "'great'"),
    ],
)
def test_a_broken_dialogue_is_named(tmp_path, turns, complaint):
    path = tmp_path / "dialogues.jsonl"
    path.write_text(json.dumps({"id": "x", "split": TRAIN, "turns": turns}))
    with pytest.raises(DataError, match=complaint):
        read_dialogues(TRAIN, path)
