"""Mixture of agents (Wang et al., 2024): one teacher writes the answer from what all have said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fledgling.core.errors import ConfigError
from fledgling.core.layers import nearest
from fledgling.teachers.aggregators.decision import Combine
from fledgling.teachers.aggregators.trust import Trust
from fledgling.teachers.answers import Answer, Query, Teacher
from fledgling.teachers.pool import TeacherPool

_REQUEST = """Question: {question}
Answers from different people:
{answers}
Some may be wrong. Write the one answer that they support best, in a single sentence."""


def strongest(
    teachers: Sequence[Teacher], *, name: str = "", trust: Trust | None = None
) -> Teacher:
    """The teacher called ``name``; without a name the most trusted, or the first configured. Raises
    ``ConfigError`` for a name that nobody has.
    """
    known = {teacher.name: teacher for teacher in teachers}
    if name and name not in known:
        raise ConfigError(
            f"decision.combiner {name!r} is no teacher of this pool;{nearest(name, known)}"
            f" there are: {', '.join(known)}"
        )
    if name:
        return known[name]
    weights = trust.weight_of() if trust is not None else {}
    return max(teachers, key=lambda teacher: weights.get(teacher.name, 0.0))


def combiner(pool: TeacherPool, teacher: Teacher) -> Combine:
    """A function (question, answers) → the answer that ``teacher`` makes of them; its failure where
    it fails. Never called on the pool's own loop.
    """

    def combine(question: str, answers: Sequence[str]) -> Answer:
        listed = "\n".join(f"- {answer}" for answer in answers)
        query = Query(_REQUEST.format(question=question, answers=listed))
        answer = pool.run(teacher.answer(query, timeout=pool.section.pool.deadline_s))
        # under a name of its own: it is no vote of that teacher
        return replace(pool.tidy(answer), model_name=f"{teacher.name} (combining)")

    return combine
