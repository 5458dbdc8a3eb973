import hashlib

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fledgling.auto_learning.collector import (
    ACCEPTED,
    TRAINING,
    VALIDATION,
    split_sql,
    summary,
)
from fledgling.auto_learning.medallion import pipeline
from fledgling.core.layers import override

REASONS = [
    ({}, ACCEPTED),
    ({"quality": 4.0}, ACCEPTED),
    ({"seconds": 10.0}, ACCEPTED),
    ({"seconds": 600.0}, ACCEPTED),
    ({"quality": 3.99}, "quality too low"),
    ({"quality": None}, "not rated"),
    ({"seconds": 9.99}, "too fast (trivial)"),
    ({"seconds": 600.01}, "too slow (time-out)"),
    ({"success": False}, "not successful"),
    ({"reply": " \n\t "}, "no output"),
    ({"errors": 1}, "had errors"),
    ({"retries": 1}, "had retries"),
    ({"success": False, "quality": 1.0, "errors": 2}, "not successful"),
]


@pytest.mark.parametrize(("changes", "reason"), REASONS)
def test_the_documented_filter(workspace, section, write_lines, changes, reason, outcome, now):
    write_lines("a", outcome(1, **changes))
    pipeline.run(workspace, section, now)
    found = pipeline.query(workspace, section, "SELECT verdict FROM tasks")
    assert list(found["verdict"]) == [reason]
    assert pipeline.rows(workspace)["examples"] == (reason == ACCEPTED)


def test_only_those_are_learned_from_who_are_named(workspace, section, write_lines, outcome, now):
    people = override(section, {"collector": {"learned_from": ["people", "o'neil"]}})
    write_lines(
        "a", *[outcome(n, model=m) for n, m in enumerate(("people", "support-ft", "people"))]
    )
    pipeline.run(workspace, people, now)
    found = pipeline.query(workspace, people, "SELECT model, verdict FROM tasks ORDER BY task_id")
    assert list(found["verdict"]) == [ACCEPTED, "done by others", ACCEPTED]
    assert pipeline.rows(workspace)["examples"] == 2
    pipeline.run(workspace, section, now)
    assert pipeline.rows(workspace)["examples"] == 3


def split_of(name, section):
    """The rule of the split in Python, as the SQL has to give it."""
    share = int(hashlib.md5(name.encode()).hexdigest()[:8], 16) / 16**8
    return TRAINING if share < section.training_share else VALIDATION


@given(st.text(min_size=1, max_size=30))
def test_the_split_is_the_same_in_sql_and_in_python(section, name):
    sql = f"SELECT {split_sql(section.collector)} FROM (SELECT ? AS task_id)"
    clean = name.replace("\x00", "")
    assert duckdb.execute(sql, [clean]).fetchone()[0] == split_of(clean, section.collector)


def test_the_split_is_eighty_to_twenty(section):
    sides = [split_of(f"task-{number}", section.collector) for number in range(10_000)]
    assert sides.count(TRAINING) / 10_000 == pytest.approx(0.8, abs=0.012)  # three errors


def test_duplicates_of_a_task_are_on_one_side(workspace, section, write_lines, outcome, now):
    write_lines("a", *[outcome(number % 5, reply=f"v{number}") for number in range(20)])
    pipeline.run(workspace, section, now)
    sides = pipeline.query(
        workspace, section, "SELECT task_id, count(DISTINCT side) AS n FROM tasks GROUP BY task_id"
    )
    assert list(sides["n"]) == [1] * 5


def test_the_summary_adds_up():
    counts = {
        (ACCEPTED, TRAINING): 34,
        (ACCEPTED, VALIDATION): 8,
        ("quality too low", TRAINING): 98,
        ("no output", TRAINING): 30,
        ("no output", VALIDATION): 2,
    }
    found = summary(counts)
    assert found["processed"] == 172 and found["high_quality"] == 42
    assert (found["training"], found["validation"]) == (34, 8)
    assert list(found["rejected"].items()) == [("quality too low", 98), ("no output", 32)]
