"""A fact practised in every form in which it may be asked for: said back, answered with one
word, with yes or no, chosen, said in passing, and, about a near miss, that it was not told.

Rows that are all answered with the statement teach to say the statement, whatever was asked
(Berglund et al., 2023; Allen-Zhu and Li, 2023). Here the answer has the form that the question
asks for. Only the fact comes in, never a probe.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from fledgling.core.records import Example, Fact
from fledgling.core.words import FUNCTION_WORDS
from fledgling.facts.learning.near_misses import contrast, other_objects
from fledgling.facts.learning.rendering import clause_of, render, swapped
from fledgling.facts.settings import PracticeSection, RenderingSection
from fledgling.language.grammar import Clause
from fledgling.language.patterns import load_patterns
from fledgling.language.perspective import to_user
from fledgling.language.questions import Question, wh_questions, yes_no
from fledgling.language.settings import LanguageSection

Pools = Mapping[str, Sequence[Example]]
Alternatives = Callable[[str, random.Random, int], list[str]]
_SAID_BACK = ("question", "reverse", "recall", "cloze")
_ARTICLES = frozenset({"a", "an", "the", "my", "our", "some"})


class Practice:
    """Makes the rows of a fact. ``alternatives`` gives other values of the kind that a value is."""

    def __init__(
        self,
        language: LanguageSection,
        rendering: RenderingSection,
        section: PracticeSection,
        alternatives: Alternatives,
    ) -> None:
        self.language, self.rendering, self.section = language, rendering, section
        self.alternatives = alternatives

    def pools(self, fact: Fact, rng: random.Random) -> Pools:
        """The rows of ``fact`` by kind, each kind in an order drawn by ``rng``."""
        asked = _asked(fact)
        others = self._others(fact, rng)
        rendered = render(fact, self.language, self.rendering, rng)
        rows = [
            *(replace(row, answer=fact.statement) for row in rendered if row.kind in _SAID_BACK),
            *self._yes_no(fact, others, rng),
            *self._one_word(fact, asked),
            *self._choices(fact, asked, others, rng),
            *self._in_passing(fact, asked),
        ]
        untold = contrast(fact, self.language, self.rendering, rng)
        rows += [Example(prompt, self.section.untold, "untold", fact.id) for prompt in untold]
        rng.shuffle(rows)
        return {kind: [row for row in rows if row.kind == kind] for kind in {r.kind for r in rows}}

    def draw(self, pools: Pools, rng: random.Random) -> list[Example]:
        """One minibatch: a row of each kind of the mixture, of another kind where a fact has
        none.
        """
        drawn = []
        for kind in self.section.mixture:
            pool = pools.get(kind) or pools.get("question") or pools.get("recall")
            if pool:
                drawn.append(rng.choice(pool))
        return drawn

    def _others(self, fact: Fact, rng: random.Random) -> list[str]:
        """Values that the fact's object might have been, and is not."""
        count = self.section.alternatives
        book = load_patterns(self.language.patterns)
        near = [] if fact.question else other_objects(fact, book, rng, count)
        is_name = _short(fact)[:1].isupper()
        near = [value for value in near if value[:1].isupper() == is_name]
        if len(near) < count and fact.object:
            near += self.alternatives(_short(fact), rng, count - len(near))
        said = fact.statement.lower()
        return [value for value in dict.fromkeys(near) if value.lower() not in said]

    def _yes_no(self, fact: Fact, others: Sequence[str], rng: random.Random) -> Iterator[Example]:
        claims = [(_claims(fact, None), True), *((_claims(fact, other), False) for other in others)]
        denied = fact.kind == "retraction" or _is_negative(fact)
        for wordings, is_so in claims:
            for wording in wordings:
                template = rng.choice(self.section.yes_no)
                answer = "Yes." if is_so != denied else "No."
                yield Example(_put(template, wording), answer, answer[:-1].lower(), fact.id)

    def _one_word(self, fact: Fact, asked: Sequence[Question | str]) -> Iterator[Example]:
        if not fact.object or fact.kind == "retraction":
            return
        for question in asked:
            for template in self.section.one_word:
                yield Example(_put(template, _direct(question)), _said(fact), "one_word", fact.id)

    def _choices(
        self,
        fact: Fact,
        asked: Sequence[Question | str],
        others: Sequence[str],
        rng: random.Random,
    ) -> Iterator[Example]:
        if not fact.object or fact.kind == "retraction":
            return
        mine, clause = _short(fact), clause_of(fact)
        for other in others:
            first, second = rng.sample([mine, other], 2)
            for question in asked:
                template = rng.choice(self.section.choice)
                prompt = template.replace("{first}", first).replace("{second}", second)
                yield Example(_put(prompt, _direct(question)), _said(fact), "choice", fact.id)
            changed = _with(clause, fact, first if first != mine else fact.object)
            if changed is not None:
                prompt = f"{yes_no(changed).rstrip('?')} or {second}?"
                yield Example(prompt, _said(fact), "choice", fact.id)

    def _in_passing(self, fact: Fact, asked: Sequence[Question | str]) -> Iterator[Example]:
        for question in asked:
            if isinstance(question, Question):
                for ask, answer in self.section.in_passing:
                    prompt = ask.replace("{what}", question.indirect)
                    said = answer.replace("{statement}", fact.statement)
                    yield Example(prompt, said, "in_passing", fact.id)


def _asked(fact: Fact) -> list[Question | str]:
    """The questions that ask for the fact's object, likeliest first."""
    if fact.question:
        return [fact.question]
    clause = clause_of(fact)
    return list(wh_questions(clause)[:2]) if clause and fact.kind != "retraction" else []


def _claims(fact: Fact, other: str | None) -> list[str]:
    """Ways to ask whether the fact is so, or whether it is so of ``other`` instead."""
    if fact.question:
        return [f"Is {other or _short(fact)} the answer to this: {fact.question}"]
    clause = _with(clause_of(fact), fact, other or fact.object)
    if clause is None or (other and clause.rest == clause_of(fact).rest):
        return []
    said = to_user(fact.statement).rstrip(".")
    said = swapped(said, fact.object, other) if other else said
    # A claim with "not" in it is no plain question: it is asked in the first way only.
    return [yes_no(clause)] if clause.negation else [yes_no(clause), f"{said}?"]


def _with(clause: Clause | None, fact: Fact, value: str) -> Clause | None:
    return clause and replace(clause, rest=swapped(clause.rest, fact.object, value))


def _is_negative(fact: Fact) -> bool:
    clause = None if fact.question else clause_of(fact)
    return clause is not None and bool(clause.negation)


def _short(fact: Fact) -> str:
    """The object without article or possessive."""
    first, _, rest = fact.object.partition(" ")
    return rest if rest and first.lower() in _ARTICLES else fact.object


def _said(fact: Fact) -> str:
    short = _short(fact)
    return f"{short[:1].upper()}{short[1:].rstrip('.')}."


def _direct(question: Question | str) -> str:
    return question if isinstance(question, str) else question.direct


def _put(template: str, question: str) -> str:
    """A question in a frame: ``{question}`` goes on inside a sentence, ``{Question}`` opens one,
    ``{open}`` lets it go on behind.
    """
    first = question.split(" ", 1)[0]
    inside = first.lower() + question[len(first) :] if first.lower() in FUNCTION_WORDS else question
    inside = question if first == "I" else inside
    slots = {"{question}": inside, "{Question}": question, "{open}": question.rstrip("?")}
    for slot, value in slots.items():
        template = template.replace(slot, value)
    return template
