"""The classifier: its arithmetic, its file, and what it does to detection."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from fledgling.core.errors import DataError
from fledgling.core.records import Turn
from fledgling.language.candidates import Candidate, find_candidates
from fledgling.language.detector import (
    Detector,
    Weights,
    choose_judge,
    load_detector,
    save_weights,
)
from fledgling.language.facts import detect_all
from fledgling.language.features import features
from fledgling.models.loading import load_embedder
from fledgling.settings import load_config

SECTION = load_config().language


def embed(texts: list[str]) -> np.ndarray:
    return np.array([[1.0, 0.0] if "Oslo" in text else [0.0, 1.0] for text in texts])


def candidates(text: str, asked: str | None = None) -> list[Candidate]:
    return find_candidates(Turn(text, previous_question=asked), SECTION)


class Fixed:
    """A judge with one opinion."""

    def __init__(self, chance: float) -> None:
        self.chance = chance

    def chances(self, candidates: Sequence[Candidate]) -> list[float]:
        return [self.chance] * len(candidates)


def test_the_chance_is_the_sum_of_what_is_seen() -> None:
    found = candidates("Lena lives in Oslo.")
    seen = sorted(features(found[0], SECTION))[:2]
    weights = Weights({seen[0]: 0.5, seen[1]: 0.25, "unseen": 9.0}, np.array([1.0, -3.0]), -0.75)
    chance = Detector(weights, embed, SECTION).chances(found)
    assert chance == [pytest.approx(1 / (1 + np.exp(-(0.5 + 0.25 + 1.0 - 0.75))))]
    assert Detector(weights, embed, SECTION).chances([]) == []


def test_with_a_reader_the_mean_of_both_log_odds_counts() -> None:
    read = []

    def half(pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        read.extend(pairs)
        return np.full(len(pairs), 0.5, dtype=np.float32)

    weights = Weights({}, np.array([2.0, 0.0]), 0.0)
    found = candidates("She lives in Oslo.", "Where does Lena live?")
    chance = Detector(weights, embed, SECTION, half).chances(found)
    assert chance == [pytest.approx(1 / (1 + np.exp(-1.0)))]
    assert read == [(found[0].text, "Where does Lena live?")]


def test_weights_come_back_from_their_file(tmp_path: Path) -> None:
    weights = Weights({"why:None": 1.5, "< i": -0.25}, np.array([0.5, -2.0]), 0.125)
    save_weights(weights, tmp_path / "detector.safetensors")
    back = load_detector(embed, SECTION, path=tmp_path / "detector.safetensors").weights
    assert (dict(back.named), back.intercept) == (weights.named, weights.intercept)
    assert back.embedding.tolist() == [0.5, -2.0]


@pytest.mark.parametrize("content", [b"", b"{}", b"\x02\0\0\0\0\0\0\0{}"])
def test_another_file_is_refused_with_a_way_out(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "detector.safetensors"
    path.write_bytes(content)
    with pytest.raises(DataError, match="train_detector"):
        load_detector(embed, SECTION, path=path)
    with pytest.raises(DataError, match="holds no detector"):
        load_detector(embed, SECTION, path=tmp_path / "missing")


def test_the_judge_decides_and_the_rules_read() -> None:
    turn = Turn("my sister lives in Oslo right")
    assert detect_all(turn, SECTION, Fixed(SECTION.threshold - 0.01)) == []
    (fact,) = detect_all(turn, SECTION, Fixed(0.9))
    assert (fact.relation, fact.confidence) == ("lives_in", 1.0)  # as the rules read it
    (fact,) = detect_all(Turn("Only moss, eighty episodes so far"), SECTION, Fixed(0.9))
    assert (fact.relation, fact.confidence) == ("statement", 0.9)


def test_a_correction_is_exclusive_and_as_sure_as_the_judge() -> None:
    turn = Turn("No, Canberra.", previous_question="What is the capital of Australia?")
    (fact,) = detect_all(turn, SECTION, Fixed(0.8))
    assert (fact.kind, fact.statement, fact.confidence) == ("correction", "Canberra.", 0.8)
    assert fact.exclusive


def test_the_configuration_chooses_the_judge() -> None:
    assert choose_judge(SECTION.model_copy(update={"judge": "rules"}), embed) is None
    chosen = choose_judge(SECTION.model_copy(update={"judge": "detector"}), embed)
    assert isinstance(chosen, Detector) and len(chosen.weights.named) > 1000


@pytest.mark.model
def test_what_the_rules_take_for_a_statement_and_is_none() -> None:
    """Of the shapes that rules alone get wrong; fitted on others of the same kinds."""
    judge = choose_judge(SECTION, load_embedder().embed)
    for said in (
        "my name is what again",
        "Tom said his sister lives in Rome.",
        "sure, and pigs fly",
    ):
        assert detect_all(Turn(said), SECTION, judge) == [], said
    for said in ("my aunt's from bergen", "i cant stand coriander", "we have two cats"):
        assert len(detect_all(Turn(said), SECTION, judge)) == 1, said
