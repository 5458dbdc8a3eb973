"""A short text as a graph: its characters are the nodes, typed edges join them.

Node 0 is a virtual node joined to all others; the answer is read from it (Graphormer, Ying et al.
2021, arXiv:2106.05234, whose degree encoding is here the number of equal characters). Places
counted from both ends of a word or number make place value visible (abacus embeddings, McLeish et
al. 2024, arXiv:2405.17399).
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from fledgling.core.errors import DataError

BASE_CHARACTERS = string.ascii_letters + string.digits + "_+-×=*#@&%:,.?!'/()<>÷;\""
EDGE_TYPES = (
    "before2",
    "before1",
    "self",
    "after1",
    "after2",
    "far",
    "same word",
    "same character",
    "operator",
    "same place",
    "from virtual",
    "to virtual",
    "virtual",
)
PAIR_KINDS = 96  # six distances × four yes-or-no types
PADDING = PAIR_KINDS + 3
FEATURES = 73
PLACES = 12  # places, words and counts beyond are drawn together
_TOKEN = re.compile(r"[0-9]+_?|[A-Za-z_]+|\S")


@dataclass(frozen=True)
class Graphs:
    """N graphs of up to L nodes.

    ``nodes`` (N, L, 5) uint8: character, place from the left, place from the right, rank of the
    word among words or of the number among numbers, equal characters. ``edges`` (N, L, L) uint8:
    what joins node i to node j. ``sizes`` (N,): nodes a graph has.
    """

    nodes: torch.Tensor
    edges: torch.Tensor
    sizes: torch.Tensor

    def __len__(self) -> int:
        return len(self.sizes)

    def select(self, rows: torch.Tensor) -> Graphs:
        """The graphs at ``rows`` (B,), cut to the longest of them."""
        sizes = self.sizes[rows]
        longest = int(sizes.max())
        return Graphs(self.nodes[rows, :longest], self.edges[rows, :longest, :longest], sizes)

    def to(self, device: torch.device) -> Graphs:
        """The same graphs on ``device``."""
        return Graphs(self.nodes.to(device), self.edges.to(device), self.sizes.to(device))


class Vocabulary:
    """Which characters are known. 0 is the virtual node, 1 an unknown character."""

    def __init__(self, characters: str) -> None:
        self.characters = characters
        self._number = {character: number for number, character in enumerate(characters, start=2)}

    @classmethod
    def covering(cls, texts: Iterable[str]) -> Vocabulary:
        """The base characters and whatever else the texts use."""
        extra = sorted(
            {character for text in texts for character in text if not character.isspace()}
            - set(BASE_CHARACTERS)
        )
        return cls(BASE_CHARACTERS + "".join(extra[: 250 - len(BASE_CHARACTERS)]))

    def __len__(self) -> int:
        return len(self.characters) + 2

    def numbers(self, characters: Iterable[str]) -> list[int]:
        """The number of each character; 1 for an unknown one."""
        return [self._number.get(character, 1) for character in characters]

    def unknown(self, text: str) -> str:
        """The characters of ``text`` that are not known, each once, in order."""
        return "".join(dict.fromkeys(c for c in text if not c.isspace() and c not in self._number))

    def features(self) -> torch.Tensor:
        """What is known of each character beforehand: (V, F) kind, case, place in the alphabet,
        value of a digit.
        """
        table = torch.zeros(len(self), FEATURES)
        for character, number in self._number.items():
            letter = string.ascii_lowercase.find(character.lower()) if character.isascii() else -1
            digit = string.digits.find(character)
            if letter >= 0:
                table[number, [0, 1 + character.isupper(), 20 + letter]] = 1.0
                table[number, 3] = float(character.lower() in "aeiou")
                table[number, 46:54] = _waves(letter, 26, 4)
            elif digit >= 0:
                table[number, [4, 5 + digit]] = 1.0
                table[number, 54:64] = _waves(digit, 10, 5)
                table[number, 64:73] = (
                    torch.arange(1, 10) <= digit
                ) * 2.0 - 1.0  # makes larger and smaller linear
            else:
                table[number, 15] = 1.0
        return table


def _waves(value: int, period: int, count: int) -> torch.Tensor:
    """Sines and cosines of ``value`` on a circle: a step along the alphabet or the digits is then a
    rotation.
    """
    angles = 2 * torch.pi * value * torch.arange(1, count + 1) / period
    return torch.cat([angles.sin(), angles.cos()])


def encode(texts: Sequence[str], vocabulary: Vocabulary, *, max_nodes: int) -> Graphs:
    """The texts as graphs, white space left out. Raises ``DataError`` for an empty or too long
    text.
    """
    singles = [_encode_one(text, vocabulary, max_nodes) for text in texts]
    longest = max((len(nodes) for nodes, _ in singles), default=1)
    nodes = np.zeros((len(texts), longest, 5), dtype=np.uint8)
    edges = np.full((len(texts), longest, longest), PADDING, dtype=np.uint8)
    for row, (node, edge) in enumerate(singles):
        nodes[row, : len(node)] = node
        edges[row, : len(node), : len(node)] = edge
    sizes = torch.tensor([len(node) for node, _ in singles], dtype=torch.int64)
    return Graphs(torch.from_numpy(nodes), torch.from_numpy(edges), sizes)


def _encode_one(text: str, vocabulary: Vocabulary, max_nodes: int) -> tuple[np.ndarray, np.ndarray]:
    tokens = _TOKEN.findall(text[: 20 * max_nodes])
    size = 1 + sum(map(len, tokens))
    if size == 1:
        raise DataError(
            f"the text {text[:20]!r} is empty; give at least one character that is not white space"
        )
    if size > max_nodes:
        raise DataError(
            f"the text {text[:20] + '…'!r} has {len(text)} characters; this model reads at most"
            f" {max_nodes - 1} without white space: shorten it, or train with a larger"
            " multitask.max_nodes"
        )
    characters = "".join(tokens)
    lengths = [len(token) for token in tokens]
    word, order = (
        np.repeat(np.arange(len(tokens)), lengths),
        np.repeat(_order_of_kind(tokens), lengths),
    )
    left = np.concatenate([np.arange(len(token)) for token in tokens])
    right = np.concatenate([np.arange(len(token))[::-1] for token in tokens])
    letters = np.array(
        vocabulary.numbers(
            characters.lower() if len(characters.lower()) == size - 1 else characters
        )
    )
    equal = letters[:, None] == letters[None, :]
    nodes = np.zeros((size, 5), dtype=np.uint8)
    nodes[1:] = np.stack(
        [vocabulary.numbers(characters), left, right, order, equal.sum(1)], axis=1
    ).clip(max=[255, PLACES - 1, PLACES - 1, PLACES - 1, PLACES - 1])
    edges = np.empty((size, size), dtype=np.uint8)
    edges[0, :], edges[:, 0], edges[0, 0] = PAIR_KINDS, PAIR_KINDS + 1, PAIR_KINDS + 2
    edges[1:, 1:] = _pair_kinds(tokens, word, right, equal)
    return nodes, edges


def _order_of_kind(tokens: Sequence[str]) -> list[int]:
    """How many tokens of the same kind (number, word, other) stand before each; a lone blank counts
    as a number.
    """
    seen: Counter[str] = Counter()
    order = []
    for token in tokens:
        kind = (
            "number"
            if token[0].isdigit() or token == "_"
            else "word"
            if token[0].isalpha() or token[0] == "_"
            else ""
        )
        order.append(seen[kind])
        seen[kind] += 1
    return order


def _pair_kinds(
    tokens: Sequence[str], word: np.ndarray, right: np.ndarray, equal: np.ndarray
) -> np.ndarray:
    """(L, L): distance and the four yes-or-no types of every pair, as one number below
    ``PAIR_KINDS``.
    """
    place = np.arange(len(word))
    offset = place[None, :] - place[:, None]
    distance = np.where(np.abs(offset) <= 2, offset + 2, 5)
    operator = np.array([not (token[0].isalnum() or token[0] == "_") for token in tokens])[word]
    neighbour = np.abs(word[None, :] - word[:, None]) == 1
    types = (
        word[None, :] == word[:, None],
        equal,
        neighbour & (operator[:, None] | operator[None, :]),
        (right[None, :] == right[:, None]) & (word[None, :] != word[:, None]),
    )
    kinds = distance
    for yes in types:
        kinds = kinds * 2 + yes
    return kinds


def edge_types_of_kinds() -> torch.Tensor:
    """(PAIR_KINDS + 3, edge types): which types each kind of edge is made of, 0 or 1."""
    table = torch.zeros(PAIR_KINDS + 3, len(EDGE_TYPES))
    for kind in range(PAIR_KINDS):
        distance, bits = divmod(kind, 16)
        table[kind, distance] = 1.0
        for place, shift in enumerate((3, 2, 1, 0)):
            table[kind, 6 + place] = float(bits >> shift & 1)
    for extra in range(3):
        table[PAIR_KINDS + extra, 10 + extra] = 1.0
    return table
