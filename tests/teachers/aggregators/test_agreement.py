"""Agreement: exact, numeric, semantic; camps; the cache."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fledgling.settings import load_config
from fledgling.teachers.aggregators.agreement import (
    EmbeddingCache,
    group_answers,
    measure_agreement,
    pair_score,
)

SECTION = load_config().teachers.agreement


@pytest.mark.parametrize(
    ("left", "right", "cosine", "low", "high"),
    [
        ("Paris.", "the paris", 0.0, 1.0, 1.0),  # normalised exact
        ("12", "There are twelve of them.", 0.1, 1.0, 1.0),  # number
        ("Paris", "The capital of France is Paris.", 0.5, 1.0, 1.0),  # contained
        (
            "Paris",
            "It is Lyon, a city on the Rhone.",
            0.9,
            0.0,
            0.0,
        ),  # short answers need their words
        (
            "Plants make food from sunlight.",
            "Photosynthesis turns light into plant food.",
            0.85,
            0.85,
            0.85,
        ),
        (
            "Plants make food from sunlight.",
            "Photosynthesis is a slow process in winter.",
            0.6,
            0.3,
            0.3,
        ),
        ("Prices will rise next year.", "Prices will fall next year.", 0.95, 0.0, 0.0),
    ],
)
def test_pair_score(left: str, right: str, cosine: float, low: float, high: float) -> None:
    assert low - 1e-9 <= pair_score(left, right, cosine, SECTION) <= high + 1e-9


def test_two_of_three_make_two_thirds() -> None:
    texts = ["Rome", "It is Rome.", "Milan"]
    agreement = measure_agreement(texts, np.eye(3), SECTION)
    assert agreement.score == pytest.approx(2 / 3)
    assert agreement.groups == (0, 0, 1)


def test_a_lone_answer_is_no_consensus() -> None:
    assert measure_agreement(["Rome"], np.eye(1), SECTION, expected=2).score == pytest.approx(0.5)


@given(
    st.integers(1, 6).flatmap(lambda n: st.lists(st.floats(0, 1), min_size=n * n, max_size=n * n))
)
def test_every_answer_gets_one_camp_and_the_first_is_the_biggest(values: list[float]) -> None:
    size = int(len(values) ** 0.5)
    pairs = np.array(values).reshape(size, size)
    pairs = np.maximum(pairs, pairs.T)
    np.fill_diagonal(pairs, 1.0)
    groups = group_answers(pairs, 0.5)
    counts = np.bincount(groups)
    assert len(groups) == size and (counts > 0).all()
    assert counts[0] == counts.max()


def test_the_cache_embeds_each_text_once_and_forgets_the_oldest() -> None:
    asked: list[str] = []

    def embed(texts: list[str]) -> np.ndarray:
        asked.extend(texts)
        return np.array([[len(text)] for text in texts], dtype=np.float32)

    cache = EmbeddingCache(embed, capacity=2)
    assert cache(["a", "bb", "a"]).tolist() == [[1.0], [2.0], [1.0]]
    cache(["a"])
    assert asked == ["a", "bb"]
    cache(["ccc"])  # bb was used longest ago
    cache(["a"])
    cache(["bb"])
    assert asked == ["a", "bb", "ccc", "bb"]
