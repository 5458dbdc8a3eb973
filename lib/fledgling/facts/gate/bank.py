"""The hand-written bank of relations from which question–fact pairs for the gate are drawn: read
and checked.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fledgling.core.errors import DataError
from fledgling.core.files import read_yaml
from fledgling.core.paths import DATA

RELATIONS = DATA / "facts" / "gate" / "relations.yaml"
SLOTS = DATA / "facts" / "gate" / "slots.yaml"
LEAST = {"statements": 4, "questions": 5, "clauses": 1}
FRAMES = ("question_frames", "statement_frames", "unrelated", "unrelated_word")
KEYS = {
    "subject",
    "object",
    "statements",
    "questions",
    "clauses",
    "reverse",
    "open",
    "first_person",
    "siblings",
}
WORDING_KEYS = {"statements", "questions", "clauses", "reverse", "open"}
REFERENCE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Wording:
    """Templates of one relation in one person. ``{s}`` is the subject, ``{o}`` the object.

    ``questions`` stand alone; ``clauses`` ("where {s} lives") go into a question frame; ``reverse``
    asks for the subject; ``open`` ("Who is {s}?") is answered by this relation, yet by others too:
    never a negative.
    """

    statements: tuple[str, ...]
    questions: tuple[str, ...]
    clauses: tuple[str, ...]
    reverse: tuple[str, ...]
    open: tuple[str, ...]


@dataclass(frozen=True)
class Relation:
    """A relation between a subject and an object, and the relations that are confusable with it."""

    name: str
    subject: str
    object: str
    third: Wording
    first: Wording | None
    siblings: tuple[str, ...]


@dataclass(frozen=True)
class GateBank:
    """Relations by name, slot lists (value → weight), and the frames and unrelated questions by
    kind.
    """

    relations: Mapping[str, Relation]
    slots: Mapping[str, Mapping[str, float]]
    frames: Mapping[str, tuple[str, ...]]

    def draw(self, slot: str, generator: random.Random) -> str:
        """A value of ``slot``; values that name other slots ("my {kin}") are filled in."""
        values = self.slots[slot]
        value = generator.choices(list(values), weights=list(values.values()))[0]
        return REFERENCE.sub(lambda match: self.draw(match[1], generator), value)


def read_bank(relations: Path = RELATIONS, slots: Path = SLOTS) -> GateBank:
    """Read and check the bank.

    Raises: DataError: a file is missing, a key, slot or sibling unknown, a template without its
    placeholder, too few templates, or one question template under two relations of the same subject
    type.
    """
    lists = read_yaml(slots)
    frames = {name: _lines(slots, name, lists.pop(name, None)) for name in FRAMES}
    weighted = {name: _weighted(slots, name, values) for name, values in lists.items()}
    for name, values in weighted.items():
        for reference in {found for value in values for found in REFERENCE.findall(value)}:
            _known(slots, f"slot '{name}'", reference, weighted)
    read = {name: _relation(relations, name, entry) for name, entry in read_yaml(relations).items()}
    for relation in read.values():
        _known(relations, f"relation '{relation.name}'", relation.subject, weighted)
        _known(relations, f"relation '{relation.name}'", relation.object, weighted)
        for sibling in relation.siblings:
            _known(relations, f"siblings of '{relation.name}'", sibling, read)
            if read[sibling].subject != relation.subject:
                raise DataError(
                    f"{relations}: '{sibling}' is about a {read[sibling].subject} and"
                    f" '{relation.name}' about a {relation.subject}; siblings must share their"
                    " subject type"
                )
    _no_shared_questions(relations, read)
    return GateBank(relations=read, slots=weighted, frames=frames)


def _relation(path: Path, name: str, entry: Any) -> Relation:
    where = f"relation '{name}'"
    if not isinstance(entry, dict):
        raise DataError(
            f"{path}: {where} is a {type(entry).__name__}; it must be a mapping with {sorted(KEYS)}"
        )
    _no_extra(path, where, entry, KEYS)
    for key in ("subject", "object"):
        if not isinstance(entry.get(key), str):
            raise DataError(f"{path}: {where} needs '{key}', the name of a slot list")
    first = entry.get("first_person")
    return Relation(
        name=name,
        subject=entry["subject"],
        object=entry["object"],
        third=_wording(path, where, entry, "{s}"),
        first=None if first is None else _wording(path, f"first person of '{name}'", first, ""),
        siblings=tuple(str(entry.get("siblings", "")).replace(",", " ").split()),
    )


def _wording(path: Path, where: str, entry: dict[str, Any], subject: str) -> Wording:
    if subject == "":
        _no_extra(path, where, entry, WORDING_KEYS)
    lists = {
        key: _lines(path, f"{where}: {key}", entry.get(key, "")) for key in sorted(WORDING_KEYS)
    }
    needed = {
        "statements": {"o"},
        "reverse": {"o"},
        "questions": set(),
        "clauses": set(),
        "open": set(),
    }
    for key, templates in lists.items():
        least = LEAST.get(key, 0) if subject else min(LEAST.get(key, 0), 3)
        if len(templates) < least:
            raise DataError(f"{path}: {where} has {len(templates)} {key}; write at least {least}")
        wanted = needed[key] | ({"s"} if subject and key != "reverse" else set())
        for template in templates:
            if set(REFERENCE.findall(template)) != wanted:
                raise DataError(
                    f"{path}: {where}: {key} '{template}' must use exactly {sorted(wanted)} in"
                    " braces"
                )
    return Wording(**lists)


def _lines(path: Path, where: str, text: Any) -> tuple[str, ...]:
    if not isinstance(text, str):
        raise DataError(
            f"{path}: {where} must be a text block, one entry a line, not {type(text).__name__}"
        )
    lines = tuple(line.strip() for line in text.splitlines() if line.strip())
    if len(set(lines)) != len(lines):
        raise DataError(
            f"{path}: {where} holds '{next(x for x in lines if lines.count(x) > 1)}' twice;"
            " keep one"
        )
    return lines


def _weighted(path: Path, name: str, values: Any) -> dict[str, float]:
    """A slot is a text block (values parted by commas or lines, equal weights) or a mapping value →
    weight.
    """
    if isinstance(values, dict) and values:
        return {str(value): float(weight) for value, weight in values.items()}
    if isinstance(values, str) and values.strip():
        return {part.strip(): 1.0 for part in re.split(r"[,\n]", values) if part.strip()}
    raise DataError(
        f"{path}: slot '{name}' must be a text block of values or a mapping value → weight"
    )


def _known(path: Path, where: str, name: str, known: Mapping[str, Any]) -> None:
    if name not in known:
        raise DataError(
            f"{path}: {where} names '{name}', which is not there; add it or use one of"
            f" {sorted(known)}"
        )


def _no_extra(path: Path, where: str, entry: dict[str, Any], allowed: set[str]) -> None:
    for key in entry:
        if key not in allowed:
            raise DataError(f"{path}: {where} has the key '{key}'; allowed are {sorted(allowed)}")


def _no_shared_questions(path: Path, relations: Mapping[str, Relation]) -> None:
    """One template that two relations answer would be a positive and a negative at once."""
    seen: dict[tuple[str, str, str], str] = {}
    for relation in relations.values():
        for person, wording in (("third", relation.third), ("first", relation.first)):
            for template in () if wording is None else (*wording.questions, *wording.clauses):
                key = (relation.subject, person, template.casefold())
                other = seen.setdefault(key, relation.name)
                if other != relation.name:
                    raise DataError(
                        f"{path}: '{template}' stands under '{other}' and '{relation.name}'; move"
                        " it to 'open' in both"
                    )
