"""From one fact to the next: "In which city does my teacher live?" becomes, by "My teacher is
called Aurelio", "In which city does Aurelio live?", which another fact answers.

By rule: where a question names one side of a fact, the other side is put there instead, and the
gate says whether something answers what is asked then. At most ``gate.steps`` facts are joined.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from fledgling.core.records import Fact
from fledgling.facts.gate.gate import Route

Ask = Callable[[list[str]], list[Route]]
_ARTICLE = re.compile(r"^(?:the|an?|my|our)\s+", re.IGNORECASE)
_NOBODY = frozenset(("i", "we", "you", "it", "he", "she", "they", "there", "this", "that"))
LONGEST = 6  # words of a side that is put into a question


def walk(question: str, route: Route, facts: Sequence[Fact], ask: Ask, steps: int) -> Route:
    """The better of ``route``, where the question leads as it stands, and where it leads by way of
    other facts: ``Route.via`` holds their ids. ``ask`` routes questions.
    """
    for _ in range(steps - 1):
        ways = [way for way in next_questions(question, facts) if way[0].id not in route.via]
        routes = ask([asked for _, asked in ways])
        found = [
            (beyond, fact, asked)
            for beyond, (fact, asked) in zip(routes, ways, strict=True)
            if beyond.fact_id not in (None, fact.id, *route.via)
        ]
        best = max(found, key=lambda one: one[0].probability, default=None)
        if best is None or best[0].probability <= route.probability:
            break
        beyond, fact, question = best
        route = replace(beyond, via=(*route.via, fact.id))
    return route


def next_questions(question: str, facts: Sequence[Fact]) -> Iterator[tuple[Fact, str]]:
    """Each fact of which ``question`` names one side, with the question about the other side.

    >>> fact = Fact("f", "", "", subject="My teacher", object="Aurelio")
    >>> [asked for _, asked in next_questions("Where does my teacher live?", [fact])]
    ['Where does Aurelio live?']
    """
    for fact in facts:
        for named, other in ((fact.subject, fact.object), (fact.object, fact.subject)):
            bare = _ARTICLE.sub("", named.strip(" ."))
            put = other.strip(" .")
            words = len(put.split())
            if not bare or bare.lower() in _NOBODY or not 0 < words <= LONGEST:
                continue
            if put.lower() in _NOBODY or re.search(rf"\b{re.escape(put)}\b", question, re.I):
                continue
            side = rf"\b(?:(?:the|an?|my|our)\s+)?{re.escape(bare)}\b"
            put = put[0].lower() + put[1:] if _ARTICLE.match(put) else put
            asked = re.sub(side, lambda _, put=put: put, question, count=1, flags=re.IGNORECASE)
            if asked != question:
                yield fact, asked[:1].upper() + asked[1:]
