"""What is counted of a pool that took the quiz, by hand."""

import pytest

from fledgling.settings import load_config
from fledgling.teachers.answers import Answer, Decision
from fledgling.teachers.mock import load_quiz
from fledgling.teachers.pool import PoolReply
from fledgling.teachers.trials import decision_record, flags_on_agreement, who_was_right

SECTION = load_config().teachers
QUIZ = load_quiz()[:2]  # Paris, Tokyo


def decided(text: str, *, agreement: float = 1.0, flagged: bool = False) -> Decision:
    return Decision(text, "best", 0.9, agreement, 0.8, flagged, "")


def reply(*said: str) -> PoolReply:
    answers = tuple(Answer(text, f"t{place}") for place, text in enumerate(said))
    return PoolReply("?", answers, 0.1)


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
