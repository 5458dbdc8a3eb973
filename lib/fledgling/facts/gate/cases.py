"""Hard questions for the gate, each written for one fact: aliases, no name at all, reversed, a name
inside a name.
"""

from __future__ import annotations

from dataclasses import dataclass

from fledgling.core.errors import DataError
from fledgling.core.files import read_jsonl
from fledgling.core.paths import DATA

OPENING = {
    "alias": True,
    "paraphrase_without_name": True,
    "reverse": True,
    "name_inside_name": False,
}


@dataclass(frozen=True)
class GateCase:
    """A question of one kind beside the statement it was written for; ``concerns`` says whether the
    statement answers it.
    """

    turn: str
    kind: str
    question: str

    @property
    def concerns(self) -> bool:
        return OPENING[self.kind]


def gate_cases() -> list[GateCase]:
    """The project's labelled cases: for reported results only, never for training the gate."""
    path, cases = DATA / "facts" / "gate" / "cases.jsonl", []
    for number, line in read_jsonl(path):
        for case in line["cases"]:
            if case["kind"] not in OPENING:
                raise DataError(
                    f"{path} line {number}: kind {case['kind']!r} is none of {', '.join(OPENING)}"
                )
            cases.append(GateCase(line["turn"], case["kind"], case["question"]))
    return cases
