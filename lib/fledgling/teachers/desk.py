"""A pool with its rule, ready to answer: what `run`, `learn`, `serve` and notebooks have in
common.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fledgling.core.errors import ConfigError, DataError
from fledgling.core.layers import override
from fledgling.teachers.aggregators.agreement import Embed
from fledgling.teachers.aggregators.decision import Combine, agree_already, decide
from fledgling.teachers.answers import Answer, Decision
from fledgling.teachers.building import Members
from fledgling.teachers.combining import combiner, strongest
from fledgling.teachers.gold import GoldBook
from fledgling.teachers.pool import PoolReply, TeacherPool
from fledgling.teachers.settings import TeachersSection


@dataclass(frozen=True)
class Desk:
    """``book`` is what is known of the teachers, where trust is learned."""

    pool: TeacherPool
    section: TeachersSection
    embed: Embed
    book: GoldBook | None = None
    combine: Combine | None = None

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.close()

    def decide(self, question: str, answers: Sequence[Answer]) -> Decision:
        """The rule, with what is trusted by now."""
        trust = self.book.trust if self.book is not None else None
        return decide(
            question, answers, self.section, self.embed, trust=trust, combine=self.combine
        )

    def enough(self, answers: Sequence[Answer]) -> bool:
        """A quorum is enough where it agrees."""
        return agree_already(answers, self.section, self.embed)

    def learn(self) -> Iterator[tuple[str, PoolReply]]:
        """Hear the teachers on every gold question they were not heard on yet."""
        if self.book is None:
            raise ConfigError("there is no trust file to learn into; name one with --out")
        missing = self.book.missing()
        replies = self.pool.ask_many([question.query for question in missing])
        for question, reply in zip(missing, replies, strict=True):
            if reply.usable:
                self.book.learn(question.text, reply.answers)
            yield question.text, reply


def open_desk(
    members: Members,
    section: TeachersSection,
    embed: Embed,
    *,
    trust: Path | None = None,
    gold: Path | None = None,
) -> Desk:
    """The members as a pool with its rule. With a ``trust`` file learned weights decide; ``gold``
    is a file of known answers that refreshes them. Raises ``ConfigError`` or ``DataError`` where
    trust is wanted and there is none.
    """
    if trust is None and (gold is not None or section.decision.choice == "trust"):
        raise ConfigError(
            "learned trust needs a file to stand in: --trust FILE; make one with"
            " fledgling teachers learn --gold FILE --out FILE"
        )
    if trust is not None and not trust.exists() and gold is None:
        raise DataError(
            f"{trust} does not exist; make it with: fledgling teachers learn --gold FILE"
            f" --out {trust}"
        )
    book = None
    if trust is not None:
        section = override(section, {"decision.choice": "trust"})
        names = [teacher.name for teacher in (*members.teachers, *members.stand_ins)]
        book = GoldBook(trust, names, section, embed, gold=gold)
    pool = members.pool(section)
    combine = None
    if section.decision.combine != "never":
        known = book.trust if book is not None else None
        chosen = strongest(members.teachers, name=section.decision.combiner, trust=known)
        combine = combiner(pool, chosen)
    return Desk(pool, section, embed, book, combine)
