"""Fact streams: what a user tells the learner one turn at a time, and the questions that are only
ever asked.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fledgling.core.errors import DataError
from fledgling.core.files import read_json, read_jsonl
from fledgling.core.paths import DATA
from fledgling.core.records import Turn

PROBE_KINDS = ("direct", "paraphrase", "reverse", "use")
USE_FORMS = ("one_word", "yes_no", "choice", "in_passing", "two_facts")
NEIGHBOUR_KINDS = ("other_subject", "near_name", "other_owner", "other_thing", "other_relation")
_FIELDS = ("id", "relation", "turn", "question", "answer", "probes", "neighbours")
_ZSRE_FIELDS = ("src", "rephrase", "loc")
_LOCALITY_LABEL = "nq question:"


@dataclass(frozen=True)
class Probe:
    """A question that shows whether a fact is known: any of ``answers`` in the reply is enough.

    ``kind`` is direct, paraphrase, reverse (it asks for the subject) or use, which a stored
    sentence repeated cannot answer: then ``form`` says what is asked for, ``wrong`` holds the other
    option of a choice, and ``other`` is the id of the second fact that two_facts needs.
    """

    kind: str
    question: str
    answers: tuple[str, ...]
    form: str = ""
    wrong: tuple[str, ...] = ()
    other: str = ""


@dataclass(frozen=True)
class Neighbour:
    """A question beside the fact, whose reply must not hold a ``forbidden`` string unless the
    base's own does.

    ``kind`` is other_subject, near_name (a name that sounds alike), other_owner (the same of
    somebody else), other_thing (another thing in the same frame) or other_relation.
    """

    kind: str
    question: str
    forbidden: tuple[str, ...]


@dataclass(frozen=True)
class TaughtFact:
    """One line of a fact stream. ``turn`` is all that the learner sees."""

    id: str
    turn: Turn
    probes: tuple[Probe, ...]
    neighbours: tuple[Neighbour, ...] = ()
    given_relation: str = ""

    @property
    def relation(self) -> str:
        """The relation that the file gives, else the id without its number: ``home`` for
        ``home-3``; an id without a number is its own relation.
        """
        stem, dash, number = self.id.rpartition("-")
        return self.given_relation or (stem if dash and number.isdigit() else self.id)

    def for_retention(self) -> TaughtFact:
        """The fact with what shows whether it is kept: asked directly and in other words, and one
        neighbour of each kind.
        """
        probes = [*self.probes_of("direct")[:1], *self.probes_of("paraphrase")[:1]]
        neighbours = {neighbour.kind: neighbour for neighbour in reversed(self.neighbours)}
        return replace(self, probes=tuple(probes), neighbours=tuple(neighbours.values()))

    def probes_of(self, kind: str) -> tuple[Probe, ...]:
        """The probes of one kind, in the file's order."""
        return tuple(probe for probe in self.probes if probe.kind == kind)


def correction(question: str, answer: str) -> Turn:
    """The turn in which a user gives a question and its right answer.

    >>> correction("What is the capital of Australia?", "Canberra").text
    'The answer to "What is the capital of Australia?" is Canberra.'
    """
    stop = "" if answer.endswith((".", "!", "?")) else "."
    return Turn(
        text=f'The answer to "{question}" is {answer}{stop}', question=question, answer=answer
    )


def read_fact_stream(path: Path | str) -> list[TaughtFact]:
    """Read a fact stream (JSONL, one fact a line), in the file's order.

    A line is ``{"id", "turn", "probes", "neighbours"}``, or a correction with ``question`` and
    ``answer`` for ``turn``; ``neighbours`` may be left out. A correction without a direct probe
    gets its own question as one. Other keys are ignored, unless they look like a misspelling.

    Raises:
        DataError: a broken line, a missing or wrong field, a duplicate id, or an empty file.
    """
    path = Path(path)
    facts: list[TaughtFact] = []
    seen: dict[str, int] = {}
    for number, line in read_jsonl(path):
        fact = _fact(line, f"{path} line {number}")
        if fact.id in seen:
            raise DataError(
                f"{path} line {number}: id {fact.id!r} is already used in line {seen[fact.id]};"
                " give each fact its own"
            )
        seen[fact.id] = number
        facts.append(fact)
    if not facts:
        raise DataError(
            f'{path} holds no facts; write one a line, for example {{"id": "f1", "turn": …,'
            ' "probes": …}'
        )
    return facts


def everyday() -> list[TaughtFact]:
    """A stream that recipes were chosen on: a check of choices, never a reported result."""
    return read_fact_stream(DATA / "facts" / "everyday.jsonl")


def reported() -> list[TaughtFact]:
    """The project's stream for reported results: never choose anything by it."""
    return read_fact_stream(DATA / "facts" / "reported.jsonl")


def tuning() -> list[TaughtFact]:
    """The project's stream for choosing recipes and fitting the gate."""
    return read_fact_stream(DATA / "facts" / "tuning.jsonl")


def sample(facts: Sequence[TaughtFact], count: int, seed: int) -> list[TaughtFact]:
    """``count`` facts in a shuffled order, the same for the same ``seed``."""
    if not 1 <= count <= len(facts):
        raise DataError(f"cannot take {count} facts of {len(facts)}; ask for 1 to {len(facts)}")
    order = np.random.default_rng(seed).permutation(len(facts))
    return [facts[index] for index in order[:count]]


def open_stream(path: str, count: int, seed: int) -> list[TaughtFact]:
    """The facts of an experiment: ``count`` of the project's stream in an order drawn by
    ``seed``, or, where a path is given, those of that file in its own order: the first
    ``count``, or with 0 all of them.

    Raises ``DataError`` for a negative ``count``.
    """
    if count < 0:
        raise DataError(f"count {count} is below 0; give a number of facts, or 0 for all there are")
    if path:
        facts = read_fact_stream(path)
        return facts[:count] if count else facts
    facts = reported()
    return sample(facts, min(max(count, 1), len(facts)), seed)


def read_zsre(path: Path | str, limit: int | None = None) -> tuple[list[TaughtFact], list[str]]:
    """Read a zsRE-style JSON array (as EasyEdit ships it) as corrections: (facts, locality
    prompts).

    The correction is ``src`` with the first of ``answers`` (or ``alt``, where there is no
    ``answers``); ``rephrase`` becomes a paraphrase probe. ``loc`` gives the locality prompt of the
    same index, without its "nq question:" label. ``limit`` keeps the first records only.

    Raises:
        DataError: not a JSON array of such records, an empty one, or a ``limit`` under 1.
    """
    path = Path(path)
    records = read_json(path)
    if not isinstance(records, list) or not records:
        raise DataError(
            f"{path} must hold a JSON array of at least one record with {', '.join(_ZSRE_FIELDS)},"
            " answers"
        )
    if limit is not None and limit < 1:
        raise DataError(
            f"limit is {limit}; it must be at least 1, or left out to read all of {path}"
        )
    facts, prompts = [], []
    for index, record in enumerate(records[:limit]):
        fact, prompt = _zsre_fact(record, index, f"{path} record {index}")
        facts.append(fact)
        prompts.append(prompt)
    return facts, prompts


def _zsre_fact(record: Any, index: int, where: str) -> tuple[TaughtFact, str]:
    if not isinstance(record, dict):
        raise DataError(
            f"{where} is a {type(record).__name__}; it must be an object with"
            f" {', '.join(_ZSRE_FIELDS)}"
        )
    question, rephrase, prompt = (_text(record, name, where) for name in ("src", "rephrase", "loc"))
    answers = (
        _texts(record, "answers", where) if "answers" in record else (_text(record, "alt", where),)
    )
    probes = (Probe("direct", question, answers), Probe("paraphrase", rephrase, answers))
    if prompt.lower().startswith(_LOCALITY_LABEL):
        prompt = prompt[len(_LOCALITY_LABEL) :].strip()
    return TaughtFact(f"zsre-{index}", correction(question, answers[0]), probes), prompt


def _fact(line: dict[str, Any], where: str) -> TaughtFact:
    _refuse_misspellings(line, where)
    identity = _text(line, "id", where)
    turn = _turn(line, where)
    probes = tuple(_probe(item, place) for item, place in _items(line, "probes", where))
    if turn.question and turn.answer and not any(probe.kind == "direct" for probe in probes):
        probes = (Probe("direct", turn.question, (turn.answer,)), *probes)
    neighbours = tuple(
        Neighbour(
            _choice(item, "kind", NEIGHBOUR_KINDS, place),
            _text(item, "question", place),
            _texts(item, "forbidden", place),
        )
        for item, place in _items({"neighbours": [], **line}, "neighbours", where)
    )
    relation = _text(line, "relation", where) if "relation" in line else ""
    return TaughtFact(identity, turn, probes, neighbours, relation)


def _probe(item: dict[str, Any], where: str) -> Probe:
    kind = _choice(item, "kind", PROBE_KINDS, where)
    question, answers = _text(item, "question", where), _texts(item, "answers", where)
    if kind != "use":
        return Probe(kind, question, answers)
    form = _choice(item, "form", USE_FORMS, where)
    wrong = _texts(item, "wrong", where) if form == "choice" else ()
    other = _text(item, "with", where) if form == "two_facts" else ""
    return Probe(kind, question, answers, form, wrong, other)


def _turn(line: dict[str, Any], where: str) -> Turn:
    if "question" not in line and "answer" not in line:
        return Turn(text=_text(line, "turn", where))
    question, answer = _text(line, "question", where), _text(line, "answer", where)
    if "turn" in line:
        return Turn(text=_text(line, "turn", where), question=question, answer=answer)
    return correction(question, answer)


def _refuse_misspellings(line: dict[str, Any], where: str) -> None:
    for key in line:
        if key in _FIELDS:
            continue
        nearest = difflib.get_close_matches(key.lower(), _FIELDS, n=1, cutoff=0.8)
        if nearest:
            raise DataError(f"{where}: unknown field {key!r}; did you mean {nearest[0]!r}?")


def _items(line: dict[str, Any], name: str, where: str) -> list[tuple[dict[str, Any], str]]:
    """The objects in the list ``line[name]``, each with the place to name in an error."""
    value = _required(line, name, where)
    if not isinstance(value, list):
        raise DataError(
            f"{where}: field {name!r} is {value!r}; it must be a list of objects (or [])"
        )
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            raise DataError(
                f"{where}, {name}[{index}] is {item!r}; it must be an object with 'kind' and"
                " 'question'"
            )
    return [(item, f"{where}, {name}[{index}]") for index, item in enumerate(value)]


def _required(line: dict[str, Any], name: str, where: str) -> Any:
    if name not in line:
        raise DataError(
            f"{where}: field {name!r} is missing; add it (present: {', '.join(line) or 'nothing'})"
        )
    return line[name]


def _text(line: dict[str, Any], name: str, where: str) -> str:
    value = _required(line, name, where)
    if not isinstance(value, str) or not value.strip():
        raise DataError(
            f"{where}: field {name!r} is {value!r}; it must be a non-empty string in quotes"
        )
    return value.strip()


def _texts(line: dict[str, Any], name: str, where: str) -> tuple[str, ...]:
    value = _required(line, name, where)
    if not isinstance(value, list) or not value:
        raise DataError(
            f'{where}: field {name!r} is {value!r}; it must be a list of strings such as ["friend"]'
        )
    for item in value:
        if not isinstance(item, str) or not item.strip():
            raise DataError(
                f"{where}: field {name!r} holds {item!r}; each entry must be a non-empty string in"
                " quotes"
            )
    return tuple(item.strip() for item in value)


def _choice(line: dict[str, Any], name: str, allowed: tuple[str, ...], where: str) -> str:
    value = _text(line, name, where)
    if value not in allowed:
        raise DataError(f"{where}: {name} {value!r} is unknown; use one of {', '.join(allowed)}")
    return value
