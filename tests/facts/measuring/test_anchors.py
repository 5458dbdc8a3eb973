"""Anchors are read whole, held-in and held-out never share a prompt, and broken files are
refused.
"""

import re

import pytest

from fledgling.core.errors import DataError
from fledgling.core.paths import DATA
from fledgling.facts.measuring.anchors import held_in, held_out, read_anchors, unrelated
from fledgling.facts.measuring.streams import everyday, tuning


def normalise(text):
    return " ".join(re.sub(r"[^\w]+", " ", text.casefold()).split())


def write(tmp_path, text):
    path = tmp_path / "anchors.jsonl"
    path.write_text(text, encoding="utf-8")
    return path


def test_prompts_are_read_in_order(tmp_path):
    assert read_anchors(write(tmp_path, '{"prompt": " b "}\n\n{"prompt": "a"}\n')) == ["b", "a"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no prompts"),
        ('{"prompt": "a"}\n{"text": "b"}', "line 2"),
        ('{"prompt": 3}', "'prompt' is 3"),
        ('{"prompt": " "}', "non-empty string"),
        ('{"prompt": "a"}\n{"prompt": "a "}', "stands in line 1 too"),
        ('{"prompt": ', "not valid JSON"),
        ('"a"', "one JSON object"),
    ],
)
def test_bad_files_are_refused(tmp_path, text, told):
    path = write(tmp_path, text)
    with pytest.raises(DataError) as caught:
        read_anchors(path)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        read_anchors(tmp_path / "none.jsonl")


def test_the_halves_are_large_and_disjoint():
    training, measuring, talk = (
        set(map(normalise, read())) for read in (held_in, held_out, unrelated)
    )
    assert len(training) >= 40
    assert len(measuring) >= 40
    assert len(talk) >= 40
    assert not training & measuring
    assert not talk & (training | measuring)


def test_anchors_are_no_questions_of_the_fact_streams():
    asked = {
        normalise(item.question)
        for fact in (*everyday(), *tuning())
        for item in (*fact.probes, *fact.neighbours)
    }
    assert sorted(asked & set(map(normalise, (*held_in(), *held_out(), *unrelated())))) == []


def test_what_the_gate_is_trained_to_refuse_is_no_held_out_anchor():
    general = (DATA / "facts" / "gate" / "general.txt").read_text(encoding="utf-8").splitlines()
    assert len(general) > 100
    assert not {normalise(line) for line in [*general, *unrelated()]} & {
        normalise(prompt) for prompt in held_out()
    }
