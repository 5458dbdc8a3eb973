"""Pairs of a remembered fact and a question, labelled by whether the fact answers the question."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from fledgling.core.errors import DataError
from fledgling.facts.gate.bank import GateBank, Relation, Wording, read_bank

POSITIVE_KINDS = ("direct", "paraphrase", "reverse")
NEGATIVE_KINDS = ("other_subject", "other_relation", "other_object", "unrelated")
NEGATIVE_WEIGHTS = (0.33, 0.37, 0.12, 0.18)
DIRECT = 3  # a relation's first templates ask head-on; the later ones and framed clauses rephrase
CANDIDATES = 60  # draws among which the most similar other subject is sought
TRIES = 20


@dataclass(frozen=True)
class GatePair:
    """``label`` is True when ``fact`` states exactly what ``question`` asks for."""

    fact: str
    question: str
    label: bool
    kind: str


@dataclass(frozen=True)
class DrawnFact:
    """One fact of a relation: who it is about (``subject`` is empty in the first person) and how it
    is worded.
    """

    relation: Relation
    wording: Wording
    subject: str
    object: str
    text: str
    asked: str


def generate_pairs(
    count: int,
    seed: int,
    *,
    bank: GateBank | None = None,
    positive_share: float = 0.45,
    correction_share: float = 0.3,
    casual_share: float = 0.15,
) -> list[GatePair]:
    """Draw ``count`` pairs, the same for the same arguments; the pairs of one fact stand together.

    Args: count: number of pairs, at least 1. seed: of the generator. bank: the relations to draw
    from; the project's own when None. positive_share: expected share of pairs whose label is True,
    in (0, 1). correction_share: share of facts worded as "question answer", as a user's correction
    is stored, in [0, 1]. casual_share: share of facts and of questions typed in lower case without
    final punctuation, in [0, 1].

    Raises:
        DataError: an argument out of range, or a broken bank.
    """
    if count < 1:
        raise DataError(f"count is {count}; ask for at least 1 pair")
    if not 0.0 < positive_share < 1.0:
        raise DataError(
            f"positive_share is {positive_share}; give a share between 0 and 1, both excluded"
        )
    bank = bank or read_bank()
    generator = random.Random(seed)
    names = sorted(bank.relations)
    pairs: list[GatePair] = []
    while len(pairs) < count:
        relation = bank.relations[generator.choice(names)]
        fact = draw_fact(bank, relation, generator, correction_share=correction_share)
        pairs += _pairs_of(
            bank, fact, generator, positive_share=positive_share, casual_share=casual_share
        )
    return pairs[:count]


def draw_fact(
    bank: GateBank, relation: Relation, generator: random.Random, *, correction_share: float
) -> DrawnFact:
    """A fact of ``relation`` as a statement or, in ``correction_share`` of cases, as a question and
    its answer.
    """
    first = relation.first is not None and generator.random() < 0.4
    wording = relation.first if first else relation.third
    subject = "" if first else bank.draw(relation.subject, generator)
    value = _other(bank, relation.object, subject, generator, similar=False)
    if generator.random() < correction_share:
        asked = _question(bank, wording, subject, generator)[0]
        return DrawnFact(relation, wording, subject, value, f"{asked} {_upper(value)}.", asked)
    text = _fill(generator.choice(wording.statements), subject, value)
    if generator.random() < 0.15:
        text = generator.choice(bank.frames["statement_frames"]).replace("{f}", text)
    return DrawnFact(relation, wording, subject, value, text, "")


def normalised(question: str) -> str:
    """Lower case, words only: two questions that differ in neither are the same question."""
    return " ".join(re.findall(r"[\w']+", question.casefold()))


def _pairs_of(
    bank: GateBank,
    fact: DrawnFact,
    generator: random.Random,
    *,
    positive_share: float,
    casual_share: float,
) -> list[GatePair]:
    positives = generator.randint(1, 3)
    exact = positives * (1.0 - positive_share) / positive_share
    negatives = int(exact) + (generator.random() < exact % 1.0)
    kinds = generator.choices(NEGATIVE_KINDS, weights=NEGATIVE_WEIGHTS, k=negatives)
    text = _casual(fact.text) if generator.random() < casual_share else fact.text
    taken = {normalised(fact.asked)}
    pairs = []
    for kind in ["positive"] * positives + kinds:
        for _ in range(TRIES):
            question, named = (
                _positive(bank, fact, generator)
                if kind == "positive"
                else _negative(bank, fact, kind, generator)
            )
            if question and normalised(question) not in taken:
                taken.add(normalised(question))
                typed = _casual(question) if generator.random() < casual_share else question
                pairs.append(GatePair(text, typed, kind == "positive", named))
                break
    return pairs


def _positive(bank: GateBank, fact: DrawnFact, generator: random.Random) -> tuple[str, str]:
    if fact.wording.reverse and generator.random() < 0.3:
        return _fill(generator.choice(fact.wording.reverse), fact.subject, fact.object), "reverse"
    if fact.wording.open and generator.random() < 0.15:
        return _fill(generator.choice(fact.wording.open), fact.subject, ""), "paraphrase"
    return _question(bank, fact.wording, fact.subject, generator)


def _negative(
    bank: GateBank, fact: DrawnFact, kind: str, generator: random.Random
) -> tuple[str, str]:
    if kind == "other_subject":
        return _of_other_subject(bank, fact, generator), kind
    if kind == "other_relation":
        return _of_other_relation(bank, fact, generator), kind
    if kind == "other_object":
        return _of_other_object(bank, fact, generator), kind
    return _unrelated(bank, fact, generator), "unrelated"


def _of_other_subject(bank: GateBank, fact: DrawnFact, generator: random.Random) -> str:
    """The same relation asked of somebody else; half the time of the one whose name looks most
    alike.
    """
    relation = fact.relation
    if fact.subject and relation.first is not None and generator.random() < 0.2:
        return _question(bank, relation.first, "", generator)[0]
    similar = bool(fact.subject) and generator.random() < 0.5
    other = _other(bank, relation.subject, fact.subject, generator, similar=similar)
    if normalised(other) == normalised(fact.object):
        return ""  # of a symmetric relation ("is married to") that would be the reverse question
    return _question(bank, relation.third, other, generator)[0]


def _of_other_relation(bank: GateBank, fact: DrawnFact, generator: random.Random) -> str:
    """Something else asked of the same subject, among the relations named as confusable."""
    siblings = [bank.relations[name] for name in fact.relation.siblings]
    wordings = [s.third if fact.subject else s.first for s in siblings]
    wordings = [w for w in wordings if w is not None]
    if not wordings:
        return ""
    question = _question(bank, generator.choice(wordings), fact.subject, generator)[0]
    own = {
        normalised(_fill(template, fact.subject, ""))
        for template in (*fact.wording.questions, *fact.wording.open)
    }
    return "" if normalised(question) in own else question


def _of_other_object(bank: GateBank, fact: DrawnFact, generator: random.Random) -> str:
    """The reverse question about another object."""
    if not fact.wording.reverse:
        return ""
    other = _other(
        bank, fact.relation.object, fact.object, generator, similar=generator.random() < 0.5
    )
    if normalised(other) == normalised(fact.subject):
        return ""
    return _fill(generator.choice(fact.wording.reverse), fact.subject, other)


def _unrelated(bank: GateBank, fact: DrawnFact, generator: random.Random) -> str:
    """General talk, general talk that shares a word with the fact, or another relation of another
    subject.
    """
    draw = generator.random()
    if draw < 0.35:
        return generator.choice(bank.frames["unrelated"])
    words = re.findall(r"\w{4,}", fact.text if fact.asked == "" else fact.object)
    if draw < 0.6 and words:
        return generator.choice(bank.frames["unrelated_word"]).replace(
            "{w}", generator.choice(words).lower()
        )
    relation = bank.relations[generator.choice(sorted(bank.relations))]
    if relation.name == fact.relation.name:
        return ""
    subject = _other(bank, relation.subject, fact.subject, generator, similar=False)
    return "" if fact.object in subject else _question(bank, relation.third, subject, generator)[0]


def _question(
    bank: GateBank, wording: Wording, subject: str, generator: random.Random
) -> tuple[str, str]:
    """(question, kind) for the object of the relation: a template of its own, or a clause in a
    frame.
    """
    if generator.random() < 0.3:
        frame = generator.choice(bank.frames["question_frames"])
        return (
            _fill(frame.replace("{c}", generator.choice(wording.clauses)), subject, ""),
            "paraphrase",
        )
    index = generator.randrange(len(wording.questions))
    return _fill(wording.questions[index], subject, ""), (
        "direct" if index < DIRECT else "paraphrase"
    )


def _other(
    bank: GateBank, slot: str, taken: str, generator: random.Random, *, similar: bool
) -> str:
    """A value of ``slot`` other than ``taken``: any, or the most look-alike of a number of
    draws.
    """
    drawn = [bank.draw(slot, generator) for _ in range(CANDIDATES if similar else TRIES)]
    others = [value for value in drawn if value.casefold() != taken.casefold()]
    if not others:
        raise DataError(f"slot '{slot}' offers nothing but '{taken}'; give it more values")
    if not similar:
        return others[0]
    return max(
        others, key=lambda value: SequenceMatcher(None, value.casefold(), taken.casefold()).ratio()
    )


def _fill(template: str, subject: str, value: str) -> str:
    return _upper(template.replace("{s}", subject).replace("{o}", value))


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _casual(text: str) -> str:
    return text.lower().rstrip("?.!")
