import json
from datetime import UTC, datetime

import pytest

from fledgling.auto_learning.medallion import bronze, pipeline
from fledgling.core.layers import override

NOW = datetime(2026, 10, 5, tzinfo=UTC)


def receive(workspace, section):
    ledger = pipeline.ledger_of(workspace)
    return bronze.receive(workspace.inbox, ledger, section.medallion, section.rules, NOW)


def lines(workspace, section):
    found = pipeline.query(
        workspace, section, "SELECT decode(line) AS line FROM bronze ORDER BY row"
    )
    return list(found["line"])


def append(workspace, name, text):
    with (workspace.inbox / name).open("a", encoding="utf-8") as file:
        file.write(text)


def test_a_growing_file_is_taken_from_where_the_last_look_stopped(workspace, section):
    append(workspace, "day.jsonl", "one\ntwo\nthr")
    assert receive(workspace, section) == 2
    assert receive(workspace, section) == 0
    append(workspace, "day.jsonl", "ee\nfour\n")
    assert receive(workspace, section) == 2
    assert lines(workspace, section) == ["one\n", "two\n", "three\n", "four\n"]


def test_a_last_line_without_its_break_is_taken_once_it_is_a_whole_object(
    workspace, section, outcome
):
    whole = json.dumps(outcome(1))
    append(workspace, "day.jsonl", whole[:-1])
    assert receive(workspace, section) == 0
    append(workspace, "day.jsonl", whole[-1])
    assert receive(workspace, section) == 1
    append(workspace, "day.jsonl", "\n")
    receive(workspace, section)
    assert lines(workspace, section)[0] == whole


def test_a_replaced_file_is_read_from_its_start(workspace, section):
    append(workspace, "day.jsonl", "a long first line\nanother\n")
    receive(workspace, section)
    (workspace.inbox / "day.jsonl").write_text("new\n")
    assert receive(workspace, section) == 1
    (workspace.inbox / "day.jsonl").write_text("other content, and longer than what stood there\n")
    assert receive(workspace, section) == 1


def test_files_are_taken_in_the_order_of_their_names_and_only_jsonl(workspace, section):
    for name in ("b.jsonl", "a.jsonl", "c.jsonl.tmp"):
        append(workspace, name, f"{name}\n")
    receive(workspace, section)
    assert lines(workspace, section) == ["a.jsonl\n", "b.jsonl\n"]


@pytest.mark.parametrize("part_bytes", [1000, 2000, 10**6])
def test_lines_are_whole_however_the_file_is_cut(workspace, section, part_bytes):
    small = override(section, {"medallion.part_bytes": part_bytes})
    told = [f"{number}:" + "x" * (number * 37 % 700) + "\n" for number in range(60)]
    append(workspace, "day.jsonl", "".join(told))
    assert receive(workspace, small) == 60
    assert lines(workspace, small) == told


@pytest.mark.parametrize("part_bytes", [1000, 10**6])
def test_a_line_too_long_is_kept_in_a_file_of_its_own(workspace, section, part_bytes):
    small = override(section, {"medallion.part_bytes": part_bytes, "rules.record_bytes": 500})
    giant = "g" * 5000 + "\n"
    append(workspace, "day.jsonl", "before\n" + giant + "after\n")
    assert receive(workspace, small) == 3
    found = pipeline.query(workspace, small, "SELECT size, kept, line FROM bronze ORDER BY row")
    assert list(found["size"]) == [7, 5001, 6]
    assert (workspace.tables / found["kept"][1]).read_text() == giant
    assert len(found["line"][1]) <= 200 and giant.encode().startswith(bytes(found["line"][1]))


def test_a_giant_line_that_is_still_growing_waits(workspace, section):
    small = override(section, {"medallion.part_bytes": 1000})
    append(workspace, "day.jsonl", "g" * 5000)
    assert receive(workspace, small) == 0
    append(workspace, "day.jsonl", "\n")
    assert receive(workspace, small) == 1


def test_the_byte_order_mark_is_no_part_of_the_first_line(workspace, section):
    (workspace.inbox / "day.jsonl").write_bytes(b"\xef\xbb\xbf" + b"first\nsecond\n")
    receive(workspace, section)
    assert lines(workspace, section) == ["first\n", "second\n"]
    assert receive(workspace, section) == 0
