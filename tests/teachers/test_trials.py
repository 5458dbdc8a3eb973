"""What is counted of a pool that took the quiz, by hand."""

import time

import numpy as np
import pytest

from fledgling.core.layers import override
from fledgling.settings import load_config
from fledgling.teachers.answers import Answer, Decision
from fledgling.teachers.mock import load_quiz, mock_pool
from fledgling.teachers.pool import PoolReply
from fledgling.teachers.trials import (
    decision_record,
    flags_on_agreement,
    try_pool,
    who_was_right,
)

SECTION = load_config().teachers
QUIZ = load_quiz()[:2]  # Paris, Tokyo


def decided(text: str, *, agreement: float = 1.0, flagged: bool = False) -> Decision:
    return Decision(text, "best", 0.9, agreement, 0.8, flagged, "")


def reply(*said: str) -> PoolReply:
    answers = tuple(Answer(text, f"t{place}") for place, text in enumerate(said))
    return PoolReply("?", answers, 0.1)


def spell(texts: list[str]) -> np.ndarray:
    """Texts → (N, 26): how often each letter stands in them."""
    counts = [[text.lower().count(chr(97 + place)) for place in range(26)] for text in texts]
    return np.array(counts) / (1e-9 + np.linalg.norm(counts, axis=1, keepdims=True))


def test_silence_is_not_right() -> None:
    tried = [
        (QUIZ[0], reply("It is Paris.", "Lyon"), decided("Paris")),
        (QUIZ[1], reply("", "Tokyo"), decided("Tokyo")),
    ]
    assert who_was_right(tried, ["t0", "t1"]).tolist() == [[True, False], [False, True]]
    record = decision_record(3, *tried[1])
    assert (record.step, record.name, record.values["right"]) == (3, QUIZ[1].id, True)
    assert record.values["answers"] == {"t1": "Tokyo"}


def test_flags_are_counted_where_teachers_agree() -> None:
    decisions = [
        decided("a"),
        decided("b", flagged=True),
        decided("c", flagged=True),
        decided("d"),
        decided("e", agreement=0.2, flagged=True),
    ]
    found = flags_on_agreement(decisions, [True, True, False, True, False], SECTION)
    assert found["agreement_right"] == 0.75
    assert found["wrong_together.flagged"] == 1.0
    assert found["right_together.flagged"] == pytest.approx(1 / 3)
    assert flags_on_agreement(decisions[4:], [False], SECTION) == {}


def test_mocks_that_stall_are_late_by_their_manner_and_not_by_the_clock() -> None:
    patient = override(SECTION, {"pool.deadline_s": 20.0})
    began = time.monotonic()
    found = []
    for _ in range(2):
        pool = mock_pool(load_quiz()[:20], *SECTION.mocks["stalling"], seed=3)
        tried = try_pool(pool, load_quiz()[:20], patient, spell)
        found.append([(reply.answers, reply.late, reply.seconds) for _, reply, _ in tried])
    assert found[0] == found[1]
    assert max(seconds for *_, seconds in found[0]) > 0.02  # simulated
    assert time.monotonic() - began < 10
    assert any(late for _, late, _ in found[0])
