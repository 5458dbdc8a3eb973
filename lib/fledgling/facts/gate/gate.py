"""The gate: does a question concern something taught, and which fact?

Two stages. The facts nearest to the question by sentence embedding are candidates; a pair scorer
then reads each candidate together with the question. Retrieval costs one matrix product whatever
the number of facts, and the scorer reads a fixed number of pairs, so a question costs about the
same with ten facts as with a thousand. Where ``steps`` allows it, chains of linked facts
(``facts.walking``) are read beside the single ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from fledgling.core.records import Fact
from fledgling.facts.settings import GateSection
from fledgling.facts.walking import Chain, Links, longer, walked

Embed = Callable[[list[str]], np.ndarray]
ScorePairs = Callable[[Sequence[tuple[str, str]]], np.ndarray]

# No fact answers it. The scorer has learned on single facts: a chain that it opens for this it
# would open for anything.
SMALL_TALK = "How are you today?"


@dataclass(frozen=True)
class Route:
    """Where a question goes: the fact it concerns (None: the base answers), and the probability of
    the best fact. ``via``: the facts that it is joined with to answer; ``asked``: the question with
    the name that these gave put in, which that fact answers.
    """

    fact_id: str | None
    probability: float
    nearest: str | None = None
    via: tuple[str, ...] = ()
    asked: str = ""


def fact_text(fact: Fact) -> str:
    """A fact in the user's own words, as the scorer reads it; a correction is its question and
    answer.
    """
    return f"{fact.question} {fact.object}" if fact.question else fact.text


def readings_of(fact: Fact) -> tuple[str, str]:
    """The two texts that a fact is found by: its own, and the turn that it was told in."""
    return fact_text(fact), fact.turn or fact_text(fact)


class Gate:
    """An index of taught facts that routes questions.

    ``embed``: texts → (N, D) rows of length 1. ``score``: (fact, question) pairs → (N,)
    probabilities that the question asks for what the fact states.
    """

    def __init__(self, embed: Embed, score: ScorePairs, section: GateSection) -> None:
        self.embed, self.score, self.section = embed, score, section
        self.ids: list[str] = []
        self._texts: list[tuple[str, str]] = []
        self._rows = np.zeros((0, 2, 0), dtype=np.float32)  # of both texts
        self._links = Links()

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, fact: Fact) -> None:
        """Index a fact; one with the same id is replaced."""
        self.add_all([fact])

    def add_all(self, facts: Iterable[Fact]) -> None:
        """Index several facts with one embedding call."""
        facts = list(facts)
        if not facts:
            return
        for fact in facts:
            self.remove(fact.id)
        texts = [readings_of(fact) for fact in facts]
        distinct = list(dict.fromkeys(text for pair in texts for text in pair))
        row_of = dict(zip(distinct, self.embed(distinct), strict=True))
        rows = np.array([[row_of[text] for text in pair] for pair in texts])
        used, needed = len(self.ids), len(self.ids) + len(facts)
        if needed > len(
            self._rows
        ):  # doubling: adding a fact costs the same however many there are
            grown = np.zeros((max(64, 2 * needed), *rows.shape[1:]), dtype=np.float32)
            if used:
                grown[:used] = self._rows[:used]
            self._rows = grown
        self._rows[used:needed] = rows
        self.ids += [fact.id for fact in facts]
        self._texts += texts
        for fact in facts:
            self._links.add(fact.id, f"{fact_text(fact)} {fact.statement}")

    def set_all(self, facts: Iterable[Fact]) -> None:
        """Index exactly these facts."""
        self.ids, self._texts, self._links = [], [], Links()
        self.add_all(facts)

    def remove(self, fact_id: str) -> None:
        """Drop a fact from the index; unknown ids are ignored."""
        if fact_id not in self.ids:
            return
        place, last = self.ids.index(fact_id), len(self.ids) - 1
        self._rows[place] = self._rows[last]
        self.ids[place], self._texts[place] = self.ids[last], self._texts[last]
        del self.ids[last], self._texts[last]
        self._links.remove(fact_id)

    def route(self, questions: Sequence[str]) -> list[Route]:
        """One route a question. Without facts, or below the threshold, the base answers."""
        if not self.ids or not questions:
            return [Route(None, 0.0)] * len(questions)
        rows = self._rows[: len(self.ids)]
        similarity = (rows @ self.embed(list(questions)).T).max(axis=1).T  # (Q, F)
        count = min(self.section.candidates, len(self.ids))
        nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :count]  # (Q, C)
        pairs = [
            (text, question)
            for question, row in zip(questions, nearest, strict=True)
            for place in row
            for text in self._texts[place]
        ]
        distinct = list(dict.fromkeys(pairs))
        score_of = dict(zip(distinct, self.score(distinct), strict=True))
        scores = np.array([score_of[pair] for pair in pairs])
        scores = scores.reshape(len(questions), count, 2).max(axis=2)
        scores = np.where(
            np.take_along_axis(similarity, nearest, 1) >= self.section.min_similarity, scores, 0.0
        )
        routes = [self._decide(places, row) for places, row in zip(nearest, scores, strict=True)]
        if self.section.steps == 1:
            return routes
        place_of = {fact_id: place for place, fact_id in enumerate(self.ids)}
        found = zip(questions, routes, nearest, similarity, strict=True)
        return [self._lead(*each, place_of) for each in found]

    def _lead(
        self,
        question: str,
        route: Route,
        nearest: np.ndarray,
        similarity: np.ndarray,
        place_of: dict[str, int],
    ) -> Route:
        """``route``, or a chain of facts that answers better, begun at one that is near enough."""
        section = self.section
        near = [place for place in nearest if similarity[place] >= section.min_similarity]
        chains: list[Chain] = [(self.ids[place],) for place in near]

        def likeness(chain: Chain) -> float:
            return sum(float(similarity[place_of[fact_id]]) for fact_id in chain)

        def told(fact_id: str) -> str:
            return self._texts[place_of[fact_id]][1]

        for _ in range(section.steps - 1):
            found = longer(chains, question, self._links, common=section.link_facts)
            read = sorted(found, key=likeness, reverse=True)[: section.chains]
            if not read:
                break
            walks = [walked(question, chain, told) for chain in read]
            texts = [" ".join(map(told, chain)) for chain in read]
            pairs = [(text, asked) for asked in (question, SMALL_TALK) for text in texts]
            pairs += [(told(walk.chain[-1]), walk.asked or question) for walk in walks]
            together, idle, last = self.score(pairs).reshape(3, -1)
            together = np.where(idle < section.threshold, together, 0.0)
            last = np.where([walk.named for walk in walks], last, 0.0)
            scores = np.maximum(together, last)
            best = int(scores.argmax())
            probability, chains = float(scores[best]), [read[best]]
            # Asked for the name that links them, two facts seem a little likelier than the first
            # alone, which answers it.
            doubt = 1.0 - route.probability
            if route.fact_id is not None:
                doubt *= section.chain_doubt
            if probability < section.chain_threshold or 1.0 - probability >= doubt:
                break
            *via, answering = walks[best].chain
            route = Route(answering, probability, answering, tuple(via), walks[best].asked)
        return route

    def _decide(self, places: np.ndarray, scores: np.ndarray) -> Route:
        best = int(scores.argmax())
        fact_id, probability = self.ids[places[best]], float(scores[best])
        return Route(
            fact_id if probability >= self.section.threshold else None, probability, fact_id
        )
