"""Known answers and what the teachers said to them: the evidence that trust is learned from, kept
in a file and refreshed as more of them arrive.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from fledgling.core.errors import DataError
from fledgling.core.files import read_json, write_json
from fledgling.teachers.aggregators.agreement import Embed, holds, measure_agreement
from fledgling.teachers.aggregators.trust import Trust, fit_trust_from_groups
from fledgling.teachers.answers import Answer
from fledgling.teachers.questions import Question, QuestionFile
from fledgling.teachers.settings import TeachersSection

log = logging.getLogger(__name__)


class Evidence(BaseModel):
    """One question with a known answer: which teachers stood in one camp, who was right."""

    question: str
    camps: dict[str, int]
    right: dict[str, bool]


class TrustFile(BaseModel):
    """A trust file: the evidence is what counts, the weights are there to be read."""

    version: Literal[1] = 1
    evidence: list[Evidence] = []
    weights: dict[str, float] = {}


def evidence_of(
    question: str,
    answers: Sequence[Answer],
    gold: Sequence[str],
    section: TeachersSection,
    embed: Embed,
) -> Evidence:
    """What these answers to a question with the known answers ``gold`` say about the teachers."""
    usable = [answer for answer in answers if answer.usable]
    texts = [answer.text for answer in usable]
    groups = measure_agreement(texts, embed(texts), section.agreement).groups if usable else ()
    names = [answer.model_name for answer in usable]
    right = [any(holds(text, accepted) for accepted in gold) for text in texts]
    return Evidence(
        question=question,
        camps=dict(zip(names, groups, strict=True)),
        right=dict(zip(names, right, strict=True)),
    )


def fit_evidence(
    evidence: Sequence[Evidence], teachers: Sequence[str], section: TeachersSection
) -> Trust:
    """Trust in ``teachers``; who is in the evidence but not among them is left out."""
    camps = [[row.camps.get(teacher, -1) for teacher in teachers] for row in evidence]
    right = [[row.right.get(teacher, False) for teacher in teachers] for row in evidence]
    return fit_trust_from_groups(camps, right, teachers, section.trust)


class GoldBook:
    """The evidence about one pool, in ``path``; ``trust`` is what follows from it so far, ``None``
    before anything is known. ``gold`` is a file of questions with their answers that may grow.
    """

    def __init__(
        self,
        path: Path,
        teachers: Sequence[str],
        section: TeachersSection,
        embed: Embed,
        *,
        gold: Path | None = None,
    ) -> None:
        self.path = path
        self.teachers = tuple(teachers)
        self._section = section
        self._embed = embed
        self._rows = {row.question: row for row in _read(path).evidence}
        self._known: dict[str, Question] = {}
        longest = section.service.line_bytes
        self._source = QuestionFile(gold, line_bytes=longest) if gold is not None else None
        self.trust: Trust | None = None
        self._refit()

    def __len__(self) -> int:
        return len(self._rows)

    def missing(self) -> list[Question]:
        """The questions of the gold file that the teachers were not heard on yet."""
        self.read_new(tuple, whole_lines=False)
        return [line for text, line in self._known.items() if text not in self._rows]

    def read_new(
        self, decided: Callable[[], Iterable[dict[str, Any]]], *, whole_lines: bool
    ) -> None:
        """Take up new lines of the gold file, and learn from those that are ``decided`` already."""
        fresh = {}
        lines = self._source.read_new(whole_lines=whole_lines) if self._source else ()
        for line in lines:
            if line.problem or not line.gold:
                log.error("a gold line has no answer: %s", line.problem or line.text)
                continue
            fresh[line.text] = line
        self._known |= fresh
        for row in decided() if fresh else ():
            if row.get("question") in fresh:
                said = [Answer(**answer) for answer in row.get("answers", ())]
                self.learn(row["question"], said)

    def learn(self, question: str, answers: Sequence[Answer], gold: Sequence[str] = ()) -> None:
        """Weigh the teachers once more where the right answer to this question is known."""
        known = self._known.get(question)
        accepted = gold or (known.gold if known is not None else ())
        if not accepted:
            return
        self._rows[question] = evidence_of(question, answers, accepted, self._section, self._embed)
        self._refit()
        weights = self.trust.weight_of() if self.trust else {}
        kept = TrustFile(evidence=list(self._rows.values()), weights=weights)
        write_json(self.path, kept.model_dump())

    def _refit(self) -> None:
        heard = [row for row in self._rows.values() if row.camps.keys() & set(self.teachers)]
        if heard:
            self.trust = fit_evidence(heard, self.teachers, self._section)


def _read(path: Path) -> TrustFile:
    if not path.exists():
        return TrustFile()
    try:
        return TrustFile.model_validate(read_json(path))
    except ValidationError as error:
        raise DataError(
            f"{path} is no trust file ({error.error_count()} things are wrong with it); make one"
            " with: fledgling teachers learn --gold FILE --out FILE"
        ) from error
