"""A fact becomes training rows: acknowledgement, questions, cloze, reverse, recall, yes/no; and
near-miss questions.

A model trained on a statement alone does not answer questions about it (Allen-Zhu and Li 2023,
"Physics of Language Models", part 3.1), so each fact is asked about in several forms. Only the fact
comes in, never a probe.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import replace

from fledgling.core.records import Example, Fact
from fledgling.core.words import FUNCTION_WORDS
from fledgling.facts.learning.near_misses import contrast, instead_of, other_objects, other_subjects
from fledgling.facts.settings import RenderingSection
from fledgling.language.grammar import Clause, split_clause
from fledgling.language.patterns import PatternBook, load_patterns
from fledgling.language.perspective import phrase_to_assistant, to_assistant, to_user
from fledgling.language.questions import inner, subject_frames, wh_questions, yes_no
from fledgling.language.rephrasing import rephrased
from fledgling.language.retractions import affirmed
from fledgling.language.settings import LanguageSection
from fledgling.language.templates import fill

__all__ = ["clause_of", "contrast", "normalised", "render", "swapped"]

_WORD = re.compile(r"[\w'’-]+")


def render(
    fact: Fact, detection: LanguageSection, rendering: RenderingSection, rng: random.Random
) -> list[Example]:
    """Training rows of ``fact``, each prompt once. The order is fixed; ``rng`` picks the near-miss
    words only.

    Answers are the whole statement in the assistant's perspective, or the answer of a correction.
    """
    if fact.question:
        rows = [*_correction_rows(fact, rendering), *_recall_rows(fact, rendering)]
    else:
        book = load_patterns(detection.patterns)
        rows = [
            *_acknowledgement(fact, rendering),
            *_question_rows(fact, book, rendering),
            *_cloze_rows(fact),
            *_reverse_rows(fact, book),
            *_yes_no_rows(fact, book, rendering, rng),
            *_recall_rows(fact, rendering),
        ]
    return _deduplicated(rows)


def normalised(prompt: str) -> str:
    """A prompt without case, punctuation and articles: two prompts alike in this are one.

    >>> normalised("Where does Lena live?") == normalised("where does lena live")
    True
    """
    words = re.findall(r"\w+", prompt.casefold())
    return " ".join([word for word in words if word not in {"a", "an", "the"}] or words)


def _deduplicated(rows: Iterable[Example]) -> list[Example]:
    first: dict[str, Example] = {}
    for row in rows:
        if normalised(row.prompt):
            first.setdefault(normalised(row.prompt), row)
    return list(first.values())


def _acknowledgement(fact: Fact, rendering: RenderingSection) -> list[Example]:
    answer = rendering.acknowledgement.replace("{statement}", fact.statement)
    return [Example(fact.text or to_user(fact.statement), answer, "acknowledgement", fact.id)]


def clause_of(fact: Fact) -> Clause | None:
    """The statement as the user would say it, taken apart; of a retraction, what it takes back."""
    said = to_user(fact.statement).rstrip(".")
    return split_clause(affirmed(said) or said)


def _question_rows(fact: Fact, book: PatternBook, rendering: RenderingSection) -> list[Example]:
    pattern, clause = book.of_relation(fact.relation), clause_of(fact)
    own = wh_questions(clause) if clause else []
    plain = [question.direct for question in own[:1]]
    framed = [question.direct for question in own[1:]]
    filled = [fill(template, fact, clause) for template in (pattern.questions if pattern else ())]
    if (
        fact.kind == "replacement" or not plain
    ):  # "moved to" should answer "Where does … live?" as well
        plain += filled[:1]
    prompts = plain + [
        rendering.frame.replace("{question}", item[0].lower() + item[1:])
        for item in framed + filled
    ]
    for question in own:
        prompts += [f"Do you know {question.indirect}?", f"Please tell me {question.indirect}."]
    subject = inner(fact.subject) if fact.subject else ""
    if subject and subject not in {"I", "we"}:
        prompts += [
            template.replace("{subject}", subject) for template in rendering.general_questions
        ]
    return [Example(prompt, fact.statement, "question", fact.id) for prompt in prompts]


def _cloze_rows(fact: Fact) -> list[Example]:
    """The statement up to its object: "Complete the sentence: Lena lives in"."""
    thing = phrase_to_assistant(fact.object)
    place = fact.statement.lower().rfind(thing.lower()) if thing else -1
    if place <= 0 or fact.kind == "retraction":
        return []
    stem = to_user(fact.statement[:place]).rstrip(". ")
    return [Example(f"Complete the sentence: {stem} …", fact.statement, "cloze", fact.id)]


def _reverse_rows(fact: Fact, book: PatternBook) -> list[Example]:
    pattern, clause = book.of_relation(fact.relation), clause_of(fact)
    prompts = [fill(template, fact, clause) for template in (pattern.reverse if pattern else ())]
    if clause is not None and fact.kind != "retraction":
        prompts += subject_frames(clause)
    return [Example(prompt, fact.statement, "reverse", fact.id) for prompt in prompts]


def _yes_no_rows(
    fact: Fact, book: PatternBook, rendering: RenderingSection, rng: random.Random
) -> list[Example]:
    clause = clause_of(fact)
    if clause is None:
        return []
    opens_plainly = fact.statement.startswith(("You", "The "))
    said = fact.statement[0].lower() + fact.statement[1:] if opens_plainly else fact.statement
    word = "No" if fact.kind == "retraction" or clause.negation else "Yes"
    rows = [Example(yes_no(clause), f"{word}, {said}", "yes_no", fact.id)]
    for other in other_subjects(fact, book, rng, rendering.negatives):
        answer = rendering.unknown.replace("{subject}", phrase_to_assistant(other))
        rows.append(
            Example(yes_no(clause, instead_of(fact, clause, other)), answer, "yes_no", fact.id)
        )
    if fact.exclusive and fact.kind != "retraction":
        for thing in other_objects(fact, book, rng, rendering.negatives):
            changed = replace(clause, rest=swapped(clause.rest, fact.object, thing))
            if changed.rest != clause.rest:
                rows.append(Example(yes_no(changed), f"No, {said}", "yes_no", fact.id))
    return rows


def _recall_rows(fact: Fact, rendering: RenderingSection) -> list[Example]:
    """A few words of the fact: "Recall: winter", "Recall: snow plough". The last come first, since
    questions name the subject often enough.
    """
    said = fact.question or to_user(fact.statement)
    words = [
        word if word.lower() not in FUNCTION_WORDS and len(word) > 1 else "|"
        for word in _WORD.findall(said)
    ]
    phrases = [phrase.strip() for phrase in " ".join(words).split("|")]
    prompts = [
        rendering.recall.replace("{words}", phrase) for phrase in reversed(phrases) if phrase
    ]
    return [
        Example(prompt, fact.statement, "recall", fact.id)
        for prompt in prompts[: rendering.recalls]
    ]


def swapped(rest: str, old: str, new: str) -> str:
    """``rest`` with its last ``old`` replaced, whatever its case."""
    place = rest.lower().rfind(old.lower())
    return rest if place < 0 else rest[:place] + new + rest[place + len(old) :]


def _correction_rows(fact: Fact, rendering: RenderingSection) -> list[Example]:
    """A given question and its answer, the question put in other ways, and a said-back
    correction.
    """
    prompts = [fact.question, *rephrased(fact.question)[: rendering.rephrasings]]
    rows = [Example(prompt, fact.statement, "question", fact.id) for prompt in prompts]
    if fact.text and fact.text != f"{fact.question} {fact.statement}":
        answer = rendering.acknowledgement.replace("{statement}", to_assistant(fact.statement))
        rows.insert(0, Example(fact.text, answer, "acknowledgement", fact.id))
    return rows
