"""Texts as graphs: nodes, places and edges by hand on small texts."""

import pytest
import torch

from fledgling.core.errors import DataError
from fledgling.tasks.encoding import (
    EDGE_TYPES,
    PADDING,
    PAIR_KINDS,
    Vocabulary,
    edge_types_of_kinds,
    encode,
)

VOCABULARY = Vocabulary.covering(["first letter of cat"])


def types(text: str, one: int, other: int) -> set[str]:
    """The edge types from node ``one`` to node ``other``; node 0 is the virtual node."""
    kind = int(encode([text], VOCABULARY, max_nodes=64).edges[0, one, other])
    return {name for name, yes in zip(EDGE_TYPES, edge_types_of_kinds()[kind], strict=True) if yes}


def test_places_are_counted_from_both_ends_of_a_number() -> None:
    nodes = encode(["47+138=_"], VOCABULARY, max_nodes=64).nodes[0, 1:]
    assert nodes[:, 1].tolist() == [0, 1, 0, 0, 1, 2, 0, 0]  # from the left
    assert nodes[:, 2].tolist() == [1, 0, 0, 2, 1, 0, 0, 0]  # from the right
    assert nodes[:, 3].tolist() == [0, 0, 0, 1, 1, 1, 1, 2]  # rank among numbers, among signs


def test_equal_characters_are_counted_without_regard_to_case() -> None:
    assert encode(["Anna"], VOCABULARY, max_nodes=9).nodes[0, 1:, 4].tolist() == [2, 2, 2, 2]


def test_edge_types() -> None:
    assert types("47+38=8_", 2, 1) == {"before1", "same word"}
    assert types("47+38=8_", 3, 1) == {"before2", "operator"}
    assert types("47+38=8_", 5, 2) == {"far", "same place"}
    assert types("47+38=8_", 7, 5) == {"before2", "same character"}
    assert types("cat", 2, 2) == {"self", "same word", "same character"}
    assert types("cat", 0, 2) == {"from virtual"} and types("cat", 2, 0) == {"to virtual"}


def test_every_kind_of_pair_is_told_apart() -> None:
    table = edge_types_of_kinds()
    assert table.shape == (PAIR_KINDS + 3, len(EDGE_TYPES))
    assert len({tuple(row.tolist()) for row in table}) == PAIR_KINDS + 3


def test_white_space_makes_words_but_no_nodes() -> None:
    one, two = (
        encode(["ab c", "  ab \n c "], VOCABULARY, max_nodes=9),
        encode(["ab c"], VOCABULARY, max_nodes=9),
    )
    assert one.sizes.tolist() == [4, 4]
    assert torch.equal(one.nodes[0], one.nodes[1]) and torch.equal(one.edges[1], two.edges[0])


def test_shorter_texts_are_padded_and_cut_again() -> None:
    graphs = encode(["a", "abc"], VOCABULARY, max_nodes=9)
    assert (graphs.edges[0, 2:] == PADDING).all() and (graphs.edges[0, :, 2:] == PADDING).all()
    assert graphs.select(torch.tensor([0])).nodes.shape == (1, 2, 5)


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_an_empty_text_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="is empty"):
        encode([text], VOCABULARY, max_nodes=9)


def test_a_too_long_text_is_refused_with_its_length() -> None:
    with pytest.raises(DataError, match="10000 characters; this model reads at most 63"):
        encode(["a" * 10_000], VOCABULARY, max_nodes=64)
    with pytest.raises(DataError, match="at most 8"):
        encode([" ".join("abcdefghi")], VOCABULARY, max_nodes=9)
    assert encode(["a" * 8], VOCABULARY, max_nodes=9).sizes.tolist() == [9]


def test_new_characters_join_the_vocabulary() -> None:
    vocabulary = Vocabulary.covering(["été", "наука"])
    assert vocabulary.unknown("été наука 漢字漢") == "漢字"
    assert 1 in vocabulary.numbers("漢") and 1 not in vocabulary.numbers("é")


def test_both_cases_of_a_letter_share_their_place_in_the_alphabet() -> None:
    small, big, other = VOCABULARY.features()[VOCABULARY.numbers("bBc")]
    assert torch.equal(small[20:46], big[20:46]) and not torch.equal(small[20:46], other[20:46])
