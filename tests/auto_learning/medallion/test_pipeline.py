import json
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fledgling.auto_learning.medallion import bronze, gold, pipeline, silver
from fledgling.auto_learning.medallion.ledger import BRONZE, GOLD, LAYERS, SILVER
from fledgling.auto_learning.workspace import Workspace
from fledgling.core.errors import DataError, RunError
from fledgling.core.layers import override


def digests(workspace, section, layers=(SILVER, *GOLD)):
    return {layer: pipeline.digest(workspace, section, layer) for layer in layers}


def contents(workspace, section):
    """Silver without the numbers of the lines, which depend on the order of arrival."""
    if not pipeline.rows(workspace)["silver"]:
        return []
    found = pipeline.query(
        workspace,
        section,
        "SELECT task_id, reply, quality, finished, day FROM silver ORDER BY task_id",
    )
    return found.to_dict("records")


@pytest.fixture
def days(outcome):
    """``days(count)``: four outcomes on each of so many days."""
    return lambda count: [
        outcome(f"{day}-{number}", finished=f"2026-09-{day + 1:02d}T0{number}:00:00Z")
        for day in range(count)
        for number in range(4)
    ]


def test_a_second_run_changes_nothing(workspace, section, write_lines, now, days):
    write_lines("a", *days(3), b"{")
    assert pipeline.run(workspace, section, now).changed
    before = digests(workspace, section), sorted(workspace.tables.rglob("*.parquet"))
    again = pipeline.run(workspace, section, now + timedelta(days=1))
    assert not again.changed
    assert (digests(workspace, section), sorted(workspace.tables.rglob("*.parquet"))) == before


def test_only_the_days_touched_are_written_again(
    workspace, section, write_lines, outcome, now, days
):
    write_lines("a", *days(3))
    pipeline.run(workspace, section, now)
    ledger = pipeline.ledger_of(workspace)
    before = {part.day: part.path for part in ledger.parts(SILVER)}
    write_lines("b", outcome("late", finished="2026-09-02T09:00:00Z"))
    assert pipeline.run(workspace, section, now).days == ("2026-09-02",)
    after = {part.day: part.path for part in ledger.parts(SILVER)}
    assert {day for day in before if before[day] != after[day]} == {"2026-09-02"}


def test_a_late_record_is_counted_as_late(workspace, section, write_lines, outcome, now):
    write_lines("a", outcome(1, finished="2026-10-04T23:00:00Z"), outcome(2))
    pipeline.run(workspace, section, now)
    found = pipeline.query(workspace, section, "SELECT task_id, late FROM tasks ORDER BY task_id")
    assert list(found["late"]) == [False, True]


def test_of_one_task_the_earliest_record_stays_and_the_others_are_told_apart(
    workspace, section, write_lines, outcome, now
):
    write_lines("a", outcome(1), outcome(1), outcome(1, reply="Other.", finished="2026-10-02"))
    pipeline.run(workspace, section, now)
    write_lines("b", outcome(1, reply="First.", finished="2026-09-30T00:00:00Z"))
    pipeline.run(workspace, section, now)
    kept = pipeline.query(workspace, section, "SELECT reply, day FROM silver")
    assert list(kept["reply"]) == ["First."]
    found = pipeline.query(workspace, section, "SELECT reason FROM quarantine ORDER BY row")
    assert sorted(found["reason"]) == [
        "a duplicate",
        "another record of the same task",
        "another record of the same task",
    ]
    assert pipeline.rows(workspace)["tasks"] == 1


@settings(max_examples=6)
@given(
    records=st.lists(
        st.tuples(st.integers(0, 4), st.integers(1, 3), st.sampled_from("ab")),
        min_size=1,
        max_size=12,
    ),
    cuts=st.lists(st.integers(0, 12), max_size=2),
    order=st.randoms(use_true_random=False),
)
def test_silver_is_the_same_in_whatever_order_and_pieces_records_arrive(
    tmp_path_factory, section, records, cuts, order, outcome, now
):
    told = [
        outcome(task, reply=reply, finished=f"2026-09-0{day}T00:00:00Z")
        for task, day, reply in records
    ]
    shuffled = order.sample(told, len(told))
    edges = [0, *sorted(min(cut, len(told)) for cut in cuts), len(told)]
    found = []
    for pieces in ([told], [shuffled[a:b] for a, b in pairwise(edges)]):
        with Workspace.open(tmp_path_factory.mktemp("any") / "auto") as workspace:
            for number, piece in enumerate(pieces):
                text = "".join(json.dumps(one) + "\n" for one in piece)
                (workspace.inbox / f"{number}.jsonl").write_text(text)
                pipeline.run(workspace, section, now)
            found.append(contents(workspace, section))
    assert found[0] == found[1]


def test_many_small_commits_come_to_the_same_as_one(
    workspace, section, write_lines, tmp_path, now, days
):
    small = override(section, {"medallion.commit_rows": 3, "medallion.part_bytes": 1000})
    write_lines("a", *days(4), *days(2))
    pipeline.run(workspace, small, now)
    with Workspace.open(tmp_path / "other") as other:
        (other.inbox / "a.jsonl").write_bytes((workspace.inbox / "a.jsonl").read_bytes())
        pipeline.run(other, section, now)
        assert contents(other, section) == contents(workspace, section)
        assert digests(other, section, GOLD) == digests(workspace, section, GOLD)


@pytest.mark.parametrize("step", ["bronze", "silver", "gold"])
def test_a_crash_between_layers_is_finished_by_the_next_run(
    workspace, section, write_lines, monkeypatch, tmp_path, step, outcome, now, days
):
    write_lines("a", *days(2), outcome("0-0"))
    broken = {"bronze": silver, "silver": gold, "gold": pipeline}[step]
    name = {"bronze": "_commit", "silver": "refresh", "gold": "Run"}[step]
    with monkeypatch.context() as patch:
        patch.setattr(broken, name, lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            pipeline.run(workspace, section, now)
    pipeline.run(workspace, section, now)
    with Workspace.open(tmp_path / "other") as other:
        (other.inbox / "a.jsonl").write_bytes((workspace.inbox / "a.jsonl").read_bytes())
        pipeline.run(other, section, now)
        assert digests(other, section) == digests(workspace, section)


def test_files_that_a_killed_run_left_are_swept_and_counted(
    workspace, section, write_lines, now, days
):
    write_lines("a", *days(1))
    pipeline.run(workspace, section, now)
    orphan = workspace.tables / SILVER / "left" / "day=2026-09-01" / "data_0.parquet"
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(b"half")
    assert pipeline.run(workspace, section, now).swept == 1
    assert not orphan.parent.parent.exists()


@pytest.mark.parametrize("layer", [SILVER, *GOLD])
def test_a_deleted_partition_is_made_again(workspace, section, write_lines, layer, now, days):
    write_lines("a", *days(3), b"{")
    pipeline.run(workspace, section, now)
    before = digests(workspace, section, LAYERS)
    gone = pipeline.ledger_of(workspace).parts(layer)[1]
    (workspace.tables / gone.path).unlink()
    with pytest.raises(DataError, match="is gone"):
        pipeline.query(workspace, section, f"SELECT * FROM {layer}")
    assert "gone" in pipeline.run(workspace, section, now).mended
    assert digests(workspace, section, LAYERS) == before


def test_bronze_that_is_gone_is_said_and_silver_stays(workspace, section, write_lines, now, days):
    write_lines("a", *days(2))
    pipeline.run(workspace, section, now)
    before = digests(workspace, section)
    ledger = pipeline.ledger_of(workspace)
    (workspace.tables / ledger.parts(BRONZE)[0].path).unlink()
    pipeline.run(workspace, section, now)
    assert digests(workspace, section) == before
    (workspace.tables / ledger.parts(SILVER)[0].path).unlink()
    with pytest.raises(DataError, match="backup"):
        pipeline.run(workspace, section, now)


def test_bronze_that_is_gone_before_it_became_silver_is_said(
    workspace, section, write_lines, now, days
):
    write_lines("a", *days(1))
    ledger = pipeline.ledger_of(workspace)
    bronze.receive(workspace.inbox, ledger, section.medallion, section.rules, now)
    (workspace.tables / ledger.parts(BRONZE)[0].path).unlink()
    with pytest.raises(DataError, match=r"gone before it became silver: 4 lines"):
        pipeline.run(workspace, section, now)


def test_a_damaged_file_is_set_aside_and_made_again(workspace, section, write_lines, now, days):
    write_lines("a", *days(2))
    pipeline.run(workspace, section, now)
    before = digests(workspace, section)
    part = pipeline.ledger_of(workspace).parts(SILVER)[0]
    path = workspace.tables / part.path
    path.write_bytes(path.read_bytes()[:-30])
    assert pipeline.set_damaged_aside(workspace) == [part.path]
    assert pipeline.run(workspace, section, now).mended
    assert digests(workspace, section) == before
    assert pipeline.set_damaged_aside(workspace) == []


def test_other_rules_make_silver_again_and_another_collector_gold(
    workspace, section, write_lines, outcome, now
):
    write_lines("a", outcome(1, seconds=700), outcome(2))
    pipeline.run(workspace, section, now)
    assert pipeline.collected(workspace, section)["high_quality"] == 1
    longer = override(section, {"collector.longest_s": 800.0})
    done = pipeline.run(workspace, longer, now)
    assert (done.refined, len(done.days)) == (0, 1)
    assert pipeline.collected(workspace, longer)["high_quality"] == 2
    strict = override(longer, {"rules.seconds": 600.0})
    assert "rules have changed" in pipeline.run(workspace, strict, now).mended
    assert pipeline.rows(workspace)["silver"] == 1


def test_two_runs_at_once_are_refused_with_the_holders_id(workspace, section, now):
    with workspace.only_one(pipeline.LOCK), pytest.raises(RunError, match=r"process \(id \d+\)"):
        pipeline.run(workspace, section, now)


def test_no_outcome_at_all_is_no_error(workspace, section, now):
    assert not pipeline.run(workspace, section, now).changed
    assert pipeline.collected(workspace, section)["processed"] == 0
