"""From one fact to the next: "In which city does my teacher live?" is answered by "My teacher is
called Aurelio" and "Aurelio lives in Groningen" together, and by neither alone.

Two facts are linked where they share a word that few others hold. A chain of linked facts is read
like one fact by the scorer that reads single ones; what links them the question need not name
(dense retrieval in several hops: Xiong et al., 2021, arXiv:2009.12756). The last fact is then asked
with that name in the question: "In which city does Aurelio live?"
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from fledgling.core.answers import words as words_of
from fledgling.core.words import FUNCTION_WORDS

Chain = tuple[str, ...]  # ids of facts, each linked to the one before
_TOKEN = re.compile(r"\w+(?:['’-]\w+)*")
# What a question describes begins with one of these or with a possessive: "my teacher", "Lena's".
_OWNERS = frozenset({"my", "our", "the"})
_MINE = frozenset({"my", "our", "i", "we", "i'm", "i've", "we're", "we've"})
_POSSESSIVE = ("'s", "’s")
_IS = frozenset({"is", "are", "was", "were"})


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


@dataclass(frozen=True)
class Walk:
    """A chain in the order in which a question is led through it. ``asked``: what its last fact is
    asked, empty where it is the question itself; ``named``: whether every name was put in for words
    of the question.
    """

    chain: Chain
    asked: str
    named: bool


def walked(question: str, chain: Chain, text_of: Callable[[str], str]) -> Walk:
    """The chain walked from the end that the question describes: there its words are found, or
    else the user speaks of what is his own, or else more of the question's words stand.
    """

    def told(walk: Walk) -> tuple[bool, bool, int]:
        first = text_of(walk.chain[0])
        mine = not _MINE.isdisjoint(first.lower().split())
        return walk.named, mine, len(set(_words(first)).intersection(_words(question)))

    ways = []
    for way in (chain, chain[::-1]):
        asked, named = question, True
        for one, after in itertools.pairwise(way):
            asked, found = stepped(asked, text_of(one), text_of(after))
            named = named and found
        ways.append(Walk(way, asked if asked != question else "", named))
    return max(ways, key=told)


def stepped(question: str, told: str, then: str) -> tuple[str, bool]:
    """The question to ask of the fact ``then`` after a step over the fact ``told``: the name that
    links both stands for the words by which the question describes it; and whether such words were
    found. Where none were, the name is put before the question; without a link it stays.

    >>> stepped("Is my teacher's home in Oslo?", "My teacher is Mr. Ek.", "Mr. Ek lives in Bonn.")
    ("Is Mr. Ek's home in Oslo?", True)
    >>> stepped("Who cuts my hair?", "My barber is called Tom.", "Tom lives in Bonn.")
    ('About Tom: Who cuts my hair?', False)
    """
    name = _link(told, then, question)
    if not name:
        return question, False
    known = set(_words(told)) - (set(_words(name)) - set(_words(question)))
    tokens = list(_TOKEN.finditer(question))
    found: tuple[int, list[re.Match[str]]] = (0, [])
    for place, token in enumerate(tokens):
        if token.group().lower() in _OWNERS:
            run = [token, *_run(tokens[place + 1 :], known)]
        elif token.group().endswith(_POSSESSIVE) and _content(token):
            while (
                place and tokens[place - 1].group().istitle() and _run(tokens[place - 1 :], known)
            ):
                place -= 1  # the name begins before its last word
            run = _run(tokens[place:], known)
        else:
            continue
        if [after.group() for after in tokens[place + len(run) :][:1]] == ["of"]:
            continue  # "the home of my teacher" is no description yet
        found = max(found, (sum(map(_content, run)), run), key=lambda one: one[0])
    count, described = found
    if not count:
        return f"About {name}: {question}", False
    owned = "'s" if described[-1].group().endswith(_POSSESSIVE) else ""
    return f"{question[: described[0].start()]}{name}{owned}{question[described[-1].end() :]}", True


def _link(told: str, then: str, question: str) -> str:
    """The longest run of words of one fact that another holds, and not all of them the question.
    Two facts of one turn stand in the same words: nothing there is a name.
    """
    shared, asked = set(_words(then)) if then != told else set(), set(_words(question))
    tokens, runs = list(_TOKEN.finditer(told)), []
    while tokens:
        run = _run(tokens, shared) if _content(tokens[0]) else []
        runs.append(run)
        tokens = tokens[len(run) or 1 :]
    named = [run for run in runs if any(not asked.issuperset(_words(one.group())) for one in run)]
    longest = max(named, key=len, default=[])
    found = told[longest[0].start() : longest[-1].end()] if longest else ""
    return found[:-2] if found.endswith(_POSSESSIVE) else found


def _run(tokens: Sequence[re.Match[str]], known: Collection[str]) -> list[re.Match[str]]:
    """The first tokens whose content words are all known, up to the last one that has any. A name
    or a description ends before "is".
    """
    run: list[re.Match[str]] = []
    for token in tokens:
        if token.group() in _IS or not all(word in known for word in _words(token.group())):
            break
        run.append(token)
    while run and not _content(run[-1]):
        run.pop()
    return run


def _content(token: re.Match[str]) -> bool:
    return any(True for _ in _words(token.group()))


def _words(text: str) -> Iterator[str]:
    """Content words in the singular, as they are compared."""
    for word in words_of(text):
        word = word.removesuffix("s") if len(word) > 3 else word
        if word not in FUNCTION_WORDS:
            yield word
