"""A short text as a graph: its characters are the nodes, typed edges join them.

Node 0 is a virtual node joined to all others; the answer is read from it (Graphormer, Ying et al.
2021, arXiv:2106.05234, whose degree encoding is here the number of equal characters). Places
counted from both ends of a word or number make place value visible (abacus embeddings, McLeish et
al. 2024, arXiv:2405.17399).
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas
import torch

from fledgling.core.errors import DataError

LETTERS = string.ascii_lowercase
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
# A pair of characters has one of six distances and four yes-or-no types: one byte holds them all,
# which keeps the edges of fifty thousand exercises in tens of megabytes.
PAIR_KINDS = 96
PADDING = PAIR_KINDS + 3
FEATURES = 73
# Places, words and counts beyond the twelfth are drawn together: exercises hardly reach it, and
# what is rarely seen is not learned.
PLACES = 12
# Character numbers are bytes; a few are left for the virtual node and the unknown character.
MOST_CHARACTERS = 250
# A number keeps the blank beside it, so that the places of "8_" count as those of "85" would.
_TOKEN = re.compile(r"[0-9]+_?|[A-Za-z_]+|\S")
NUMBER, WORD, SIGN = range(3)
# Edges are made for so many texts at once: larger blocks leave the processor's cache.
_BLOCK = 256


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

    def select(self, rows: torch.Tensor) -> Graphs:
        """The graphs at ``rows`` (B,), cut to the longest of them."""
        sizes = self.sizes[rows]
        longest = int(sizes.max())
        return Graphs(self.nodes[rows, :longest], self.edges[rows, :longest, :longest], sizes)

    def to(self, device: torch.device) -> Graphs:
        """The same graphs on ``device``."""
        return Graphs(*(part.to(device) for part in vars(self).values()))


class Vocabulary:
    """Which characters are known. 0 is the virtual node, 1 an unknown character."""

    def __init__(self, characters: str) -> None:
        self.characters = characters
        self._number = {character: number for number, character in enumerate(characters, start=2)}

    @classmethod
    def covering(cls, texts: Iterable[str]) -> Vocabulary:
        """The base characters and whatever else the texts use."""
        used = set().union(*texts)
        extra = sorted(one for one in used - set(BASE_CHARACTERS) if not one.isspace())
        return cls((BASE_CHARACTERS + "".join(extra))[:MOST_CHARACTERS])

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
            letter, digit = LETTERS.find(character.lower()), string.digits.find(character)
            if letter >= 0:
                table[number, [0, 1 + character.isupper(), 20 + letter]] = 1.0
                table[number, 3] = float(character.lower() in "aeiou")
                table[number, 46:54] = _waves(letter, 26, 4)
            elif digit >= 0:
                table[number, [4, 5 + digit]] = 1.0
                table[number, 54:64] = _waves(digit, 10, 5)
                # One step for every digit reached makes "larger" and "smaller" linear.
                table[number, 64:73] = (torch.arange(1, 10) <= digit) * 2.0 - 1.0
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
    tokens = [_tokens(text, max_nodes) for text in texts]
    sizes = np.array([1 + sum(map(len, one)) for one in tokens], dtype=np.int64)
    longest = int(sizes.max(initial=1))
    table = _characters(tokens, vocabulary, longest - 1)
    nodes = np.zeros((len(texts), longest, 5), dtype=np.uint8)
    edges = np.empty((len(texts), longest, longest), dtype=np.uint8)
    for start in range(0, len(texts), _BLOCK):
        block = slice(start, start + _BLOCK)
        nodes[block, 1:], edges[block, 1:, 1:] = _nodes_and_pairs(table[:, block])
    edges[:, 0, :], edges[:, :, 0], edges[:, 0, 0] = PAIR_KINDS, PAIR_KINDS + 1, PAIR_KINDS + 2
    exists = np.arange(longest) < sizes[:, None]
    nodes *= exists[:, :, None]
    edges[~(exists[:, :, None] & exists[:, None, :])] = PADDING
    return Graphs(*map(torch.from_numpy, (nodes, edges, sizes)))


def _tokens(text: str, max_nodes: int) -> list[str]:
    # What is cut off here is refused below: a text of a million characters costs nothing.
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
            " tasks.graph.max_nodes"
        )
    return tokens


def _characters(texts: Sequence[Sequence[str]], vocabulary: Vocabulary, longest: int) -> np.ndarray:
    """What is known of every character, (7, N, L) int32, 0 beyond a text's end; all texts at once,
    since one after the other takes several times as long.

    In this order: number in the vocabulary; code point in lower case; number of its token; places
    from the token's left and right end; tokens of the same kind before its own; 1 for a sign, which
    is neither in a word nor in a number.
    """
    tokens = [token for text in texts for token in text]
    text_of = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    length = np.array([len(token) for token in tokens], dtype=np.int64)
    kind = np.array([_kind(token) for token in tokens], dtype=np.int64)
    order = pandas.DataFrame({"text": text_of, "kind": kind}).groupby(["text", "kind"]).cumcount()
    # There are a hundred different characters among a million: each is looked up once.
    codes, place = np.unique([ord(one) for token in tokens for one in token], return_inverse=True)
    distinct = [chr(code) for code in codes]
    small = np.array([ord(one.lower()[0]) for one in distinct], dtype=np.int64)
    left = np.arange(len(place)) - np.repeat(np.cumsum(length) - length, length)
    of_tokens = np.stack([np.arange(len(tokens)), length - 1, order, kind == SIGN])
    token, last, before, sign = np.repeat(of_tokens, length, axis=1)
    row = np.repeat(text_of, length)
    column = np.arange(len(row)) - np.searchsorted(row, row)
    table = np.zeros((7, len(texts), longest), dtype=np.int32)
    number = np.array(vocabulary.numbers(distinct), dtype=np.int64)
    table[:, row, column] = number[place], small[place], token, left, last - left, before, sign
    return table


def _kind(token: str) -> int:
    """A lone blank stands for a number."""
    if token[0].isdigit() or token == "_":
        return NUMBER
    return WORD if token[0].isalpha() or token[0] == "_" else SIGN


def _nodes_and_pairs(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, L, 5) what each node is, and (N, L, L) distance and the four yes-or-no types of every
    pair, as one number below ``PAIR_KINDS``; beyond a text's end both mean nothing.
    """
    number, letter, token, left, right, order, sign = table
    place = np.arange(table.shape[2])
    offset = place[None, :] - place[:, None]
    distance = np.where(np.abs(offset) <= 2, offset + 2, 5).astype(np.uint8)
    equal, together, same_place = (
        values[:, :, None] == values[:, None, :] for values in (letter, token, right)
    )
    neighbour = np.abs(token[:, :, None] - token[:, None, :]) == 1
    beside_sign = neighbour & ((sign[:, :, None] | sign[:, None, :]) == 1)
    kinds = np.broadcast_to(distance, equal.shape)
    for yes in (together, equal, beside_sign, same_place & ~together):
        kinds = kinds * np.uint8(2) + yes
    # No letter is 0, so what lies beyond a text's end equals none of its characters.
    places = np.stack([left, right, order, equal.sum(axis=2)], axis=-1).clip(max=PLACES - 1)
    return np.concatenate([number[:, :, None], places], axis=-1), kinds


def edge_types_of_kinds() -> torch.Tensor:
    """(PAIR_KINDS + 3, edge types): which types each kind of edge is made of, 0 or 1."""
    table = torch.zeros(PAIR_KINDS + 3, len(EDGE_TYPES))
    for kind in range(PAIR_KINDS):
        distance, bits = divmod(kind, 16)
        yes = [place for place, shift in enumerate((3, 2, 1, 0)) if bits >> shift & 1]
        table[kind, [distance, *(6 + place for place in yes)]] = 1.0
    table[PAIR_KINDS:, -3:] = torch.eye(3)
    return table
