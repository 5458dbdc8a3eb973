import numpy as np
import pytest

from fledgling.core.errors import DataError
from fledgling.feedback.judging.signals import (
    Exchange,
    cues_of,
    embed_once,
    observe,
    read_cues,
    signals_of,
)
from fledgling.models.tiny import WordEmbedder
from fledgling.settings import load_config

LANGUAGE = load_config().language


def cues(reaction, reply="It is Sydney."):
    return cues_of(Exchange("What is the capital of Australia?", reply, reaction), LANGUAGE)


@pytest.mark.parametrize(
    ("reaction", "expected"),
    [
        ("thx!", {"thanks"}),
        ("haha, that's brilliant", {"praise"}),
        ("ok i'll take the second one", {"acceptance"}),
        ("it works now", {"success"}),
        ("No, it's Canberra", {"corrects", "denial"}),
        ("that doesn't work", {"not_working"}),
        ("way too long", {"complaint"}),
        ("shorter please", {"redo"}),
        ("huh? i dont get it", {"unclear"}),
        ("and of New Zealand?", {"question"}),
        ("never mind", {"leaving"}),
        ("COME ON", {"complaint", "loud"}),
        (None, {"silence"}),
        ("   ", {"silence"}),
    ],
)
def test_cues_are_seen(reaction, expected):
    assert expected <= cues(reaction)


def test_an_answer_to_the_replys_question_is_no_reaction_to_its_quality():
    assert "answers" in cues("in Vienna", reply="Where do you live?")
    assert "answers" not in cues("in Vienna", reply="You live in Graz.")


def test_words_inside_words_are_no_cues():
    assert not cues("the nonprofit greatly thanked Mattheus")


def observed(reaction, prompt="how do i bake bread", reply="Mix flour, water and yeast."):
    return observe(
        [Exchange(prompt, reply, reaction)], WordEmbedder(), LANGUAGE, max_characters=500
    )[0]


def test_signals_say_how_a_turn_stands_to_what_was_before(section):
    signals = section.signals
    assert "rephrase" in signals_of(observed("how do i bake bread"), "negative", signals)
    follow = signals_of(observed("which flour for bread?"), "neutral", signals)
    assert {"follow_up", "same_topic"} <= set(follow)
    assert "topic_change" in signals_of(observed("who won yesterday?"), "neutral", signals)
    assert signals_of(observed(None), "neutral", signals) == ("abandonment",)
    assert "explicit_correction" in signals_of(observed("no, rye"), "correction", signals)


def test_equal_texts_are_embedded_once():
    asked = []

    class Counting(WordEmbedder):
        def embed(self, texts):
            asked.extend(texts)
            return super().embed(texts)

    rows = embed_once(Counting(), ["b", "a", "b", "a longer text"], batch_size=2)
    assert sorted(asked) == ["a", "a longer text", "b"]
    assert np.array_equal(rows[0], rows[2]) and not np.array_equal(rows[0], rows[3])


def test_only_the_beginning_of_a_huge_turn_is_read():
    seen = observed("x" * 500 + " thanks")
    assert "thanks" not in seen.cues | cues_of(seen.exchange, LANGUAGE, 500)


def test_a_broken_cue_is_named(tmp_path):
    path = tmp_path / "cues.yaml"
    path.write_text("thanks: ['(']\n")
    with pytest.raises(DataError, match="thanks"):
        read_cues(path)
