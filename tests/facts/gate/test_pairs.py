"""The gate's pairs: labels right by construction, no question on both sides, the same for the same
seed.
"""

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from fledgling.core.errors import DataError
from fledgling.facts.gate.bank import RELATIONS, SLOTS, read_bank
from fledgling.facts.gate.pairs import NEGATIVE_KINDS, POSITIVE_KINDS, generate_pairs, normalised


@pytest.fixture(scope="module")
def pairs():
    return generate_pairs(3000, seed=5)


def test_kinds_fix_the_label_and_all_occur(pairs):
    assert {pair.kind for pair in pairs if pair.label} == set(POSITIVE_KINDS)
    assert {pair.kind for pair in pairs if not pair.label} == set(NEGATIVE_KINDS)


def test_share_of_positives_follows_the_argument(pairs):
    assert sum(pair.label for pair in pairs) / len(pairs) == pytest.approx(0.45, abs=0.04)
    fewer = generate_pairs(2000, seed=5, positive_share=0.25)
    assert sum(pair.label for pair in fewer) / len(fewer) == pytest.approx(0.25, abs=0.05)


def test_no_question_stands_on_both_sides_of_a_fact(pairs):
    labels = defaultdict(set)
    for pair in pairs:
        labels[pair.fact, normalised(pair.question)].add(pair.label)
    assert all(len(found) == 1 for found in labels.values())


def test_every_placeholder_is_filled(pairs):
    assert not [
        pair
        for pair in pairs
        if "{" in pair.fact + pair.question or "}" in pair.fact + pair.question
    ]


def test_a_correction_never_asks_its_own_question(pairs):
    corrections = [pair for pair in pairs if pair.label and "? " in pair.fact]
    assert corrections
    assert not [
        pair for pair in corrections if normalised(pair.fact).startswith(normalised(pair.question))
    ]


def test_same_seed_same_pairs_other_seed_others():
    assert generate_pairs(60, seed=1) == generate_pairs(60, seed=1)
    assert generate_pairs(60, seed=1) != generate_pairs(60, seed=2)


def test_bank_is_as_broad_as_promised():
    bank = read_bank()
    assert len(bank.relations) >= 90
    assert len(bank.slots["name"]) >= 150
    assert all(relation.siblings for relation in bank.relations.values())
    assert Counter(bool(relation.first) for relation in bank.relations.values())[True] >= 20


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  object: town\n", "  object: twon\n", "twon"),
        ("  siblings: acquaintance, ", "  siblings: acquaintence, ", "acquaintence"),
        ("How do I know {s}?", "How do I know {o}?", "in braces"),
        ("Where did {s} and I meet?", "What is {s}'s maiden name?", "stands under"),
        ("  siblings: met_at, surname_of, nickname", "  siblings: capital", "share their subject"),
    ],
)
def test_a_broken_bank_is_refused(tmp_path: Path, old: str, new: str, message: str):
    text = RELATIONS.read_text(encoding="utf-8")
    assert old in text
    broken = tmp_path / "relations.yaml"
    broken.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_bank(broken, SLOTS)


def test_arguments_out_of_range_are_refused():
    with pytest.raises(DataError, match="at least 1"):
        generate_pairs(0, seed=0)
    with pytest.raises(DataError, match="positive_share"):
        generate_pairs(1, seed=0, positive_share=1.0)
