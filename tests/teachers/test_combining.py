"""One teacher, the strongest, writes the answer from what all have said."""

from collections.abc import Iterator

import numpy as np
import pytest

from fledgling.core.errors import ConfigError
from fledgling.core.layers import override
from fledgling.settings import load_config
from fledgling.teachers.aggregators.decision import decide
from fledgling.teachers.aggregators.trust import fit_trust
from fledgling.teachers.answers import Answer, Query
from fledgling.teachers.combining import combiner, strongest
from fledgling.teachers.mock import FixedTeacher
from fledgling.teachers.pool import TeacherPool

SECTION = override(
    load_config().teachers, {"pool.deadline_s": 5.0, "decision.combine": "on_caveat"}
)
QUESTION = "What is the capital of Peru?"


class Writer(FixedTeacher):
    """Remembers what it was given to combine."""

    heard = ""

    async def answer(self, query: Query, *, timeout: float) -> Answer:
        self.heard = query.text
        return await super().answer(query, timeout=timeout)


def embed(texts: list[str]) -> np.ndarray:
    return np.ones((len(texts), 1), dtype=np.float32)


@pytest.fixture
def pool() -> Iterator[TeacherPool]:
    writer = Writer("writer", "The capital of Peru is Lima.")
    with TeacherPool([FixedTeacher("a", "Lima"), FixedTeacher("b", "Cusco"), writer], SECTION) as p:
        yield p


def test_the_merger_has_its_own_name_and_sees_every_answer(pool: TeacherPool) -> None:
    given = [Answer("It is Lima.", "a", 0.9), Answer("It is Cusco.", "b", 0.1)]
    writer = pool.teachers[2]
    decision = decide(QUESTION, given, SECTION, embed, combine=combiner(pool, writer))
    assert (decision.kind, decision.text) == ("combined", "The capital of Peru is Lima.")
    assert "- It is Lima." in writer.heard and "- It is Cusco." in writer.heard
    assert [answer.model_name for answer in decision.answers] == ["a", "b", "writer (combining)"]


def test_the_strongest_is_the_named_the_trusted_or_the_first(pool: TeacherPool) -> None:
    votes, truth = np.array([[1.0, -1.0, 1.0]] * 10), np.ones(10)
    trust = fit_trust(-votes * [1, 1, -1], truth, ("a", "b", "writer"), SECTION.trust)
    assert strongest(pool.teachers).name == "a"
    assert strongest(pool.teachers, trust=trust).name in ("b", "writer")
    assert strongest(pool.teachers, name="writer").name == "writer"
    with pytest.raises(ConfigError, match="did you mean 'writer'"):
        strongest(pool.teachers, name="writr")


def test_a_merger_that_fails_or_strays_changes_nothing(pool: TeacherPool) -> None:
    given = [Answer("It is Lima.", "a", 0.9), Answer("It is Cusco.", "b", 0.1)]
    failed = decide(
        QUESTION,
        given,
        SECTION,
        embed,
        combine=lambda question, texts: Answer("", "x", error="server: down"),
    )
    assert failed.kind == "caveat" and "Lima" in failed.text
    strayed = combiner(pool, FixedTeacher("c", "Bogota"))
    decision = decide(QUESTION, given, SECTION, embed, combine=strayed)
    assert decision.kind == "caveat" and "strayed" in decision.reason


def test_always_combines_what_agrees_too(pool: TeacherPool) -> None:
    given = [Answer("It is Lima.", "a", 0.9), Answer("Lima", "b", 0.9)]
    combine = combiner(pool, pool.teachers[2])
    assert decide(QUESTION, given, SECTION, embed, combine=combine).kind == "best"
    always = override(SECTION, {"decision.combine": "always"})
    assert decide(QUESTION, given, always, embed, combine=combine).kind == "combined"
