"""From one fact to the next: "In which city does my teacher live?" is answered by "My teacher is
called Aurelio" and "Aurelio lives in Groningen" together, and by neither alone.

Two facts are linked where they share a word that few others hold. A chain of linked facts is read
like one fact by the scorer that reads single ones; what links them the question need not name
(dense retrieval in several hops: Xiong et al., 2021, arXiv:2009.12756).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from fledgling.core.answers import words as words_of
from fledgling.core.words import FUNCTION_WORDS

Chain = tuple[str, ...]  # ids of facts, each linked to the one before


class Links:
    """Which facts share a word that few others hold.

    >>> links = Links()
    >>> links.add("a", "My teacher is called Aurelio.")
    >>> links.add("b", "Aurelio lives in Groningen.")
    >>> links.of("a", common=12), links.of("a", common=12, asked="Is Aurelio Dutch?")
    ({'b'}, set())
    """

    def __init__(self) -> None:
        self._words: dict[str, frozenset[str]] = {}
        self._facts: dict[str, set[str]] = defaultdict(set)

    def add(self, fact_id: str, text: str) -> None:
        self._words[fact_id] = frozenset(_words(text))
        for word in self._words[fact_id]:
            self._facts[word].add(fact_id)

    def remove(self, fact_id: str) -> None:
        for word in self._words.pop(fact_id, ()):
            self._facts[word].discard(fact_id)

    def of(self, fact_id: str, *, common: int, asked: str = "") -> set[str]:
        """The facts that share a word with this one which ``asked`` does not hold, and which at
        most ``common`` facts hold.
        """
        shared = [self._facts[word] for word in self._words[fact_id] - set(_words(asked))]
        return {other for facts in shared if len(facts) <= common for other in facts} - {fact_id}


def longer(chains: Sequence[Chain], question: str, links: Links, *, common: int) -> Iterator[Chain]:
    """Every chain with one more fact at either end, each set of facts once."""
    seen: set[Collection[str]] = set()
    for chain in chains:
        after = sorted(links.of(chain[-1], common=common, asked=question))
        before = sorted(links.of(chain[0], common=common, asked=question))
        for each in [*((*chain, last) for last in after), *((first, *chain) for first in before)]:
            if len(set(each)) == len(each) and frozenset(each) not in seen:
                seen.add(frozenset(each))
                yield each


def _words(text: str) -> Iterator[str]:
    """Content words in the singular, as they are compared."""
    for word in words_of(text):
        word = word.removesuffix("s") if len(word) > 3 else word
        if word not in FUNCTION_WORDS:
            yield word
