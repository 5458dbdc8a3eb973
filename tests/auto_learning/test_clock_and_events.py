import json
from datetime import UTC, datetime, timedelta

from fledgling.auto_learning.clock import Clock, JumpWatch, stamp, unstamp
from fledgling.auto_learning.events import events, mirror, tell
from fledgling.core.database import transaction


def test_a_fast_clock_and_the_real_one_tell_each_others_time():
    start = datetime(2026, 10, 5, tzinfo=UTC)
    clock = Clock(speed=1000.0, start=start)
    later = start + timedelta(seconds=3.6)
    assert clock.of(later) == start + timedelta(hours=1)
    assert clock.real(start + timedelta(hours=1)) == later
    assert Clock().of(later) == Clock().real(later) == later


def test_stamps_sort_as_times_do_and_come_back():
    times = [datetime(2026, 10, 5, 9, tzinfo=UTC) + timedelta(seconds=s) for s in (0, 0.5, 1, 9e6)]
    stamps = [stamp(time) for time in times]
    assert stamps == sorted(stamps) and [unstamp(text) for text in stamps] == times


def test_a_changed_clock_is_noticed_and_a_slow_look_is_none():
    wall, steady = iter([100.0, 130.0, 3760.0, 160.0]), iter([0.0, 30.0, 60.0, 3660.0])
    watch = JumpWatch(60.0, wall=lambda: next(wall), steady=lambda: next(steady))
    assert watch.look() == 0.0  # half a minute passed on both
    assert watch.look() == 3600.0  # set forward by an hour
    assert watch.look() == -7200.0  # and back by two


def test_events_are_mirrored_each_once_even_after_half_a_line(workspace, now):
    tell(workspace, now, "started", speed=1.0)
    path = mirror(workspace)
    tell(workspace, now, "collected", new=float("nan"), names=("a", "b"))
    mirror(workspace)
    path.write_bytes(path.read_bytes()[:-5])
    tell(workspace, now, "stopped")
    mirror(workspace)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == events(workspace)
    assert [line["event"] for line in lines] == ["started", "collected", "stopped"]
    assert lines[1]["new"] is None and lines[1]["names"] == ["a", "b"]


def test_an_event_of_what_did_not_happen_is_not_told(workspace, now):
    try:
        with transaction(workspace.store):
            tell(workspace, now, "promoted")
            raise RuntimeError
    except RuntimeError:
        pass
    assert events(workspace) == []


def test_the_last_events_and_those_of_a_kind(workspace, now):
    for number in range(5):
        tell(workspace, now, "odd" if number % 2 else "even", number="mine")
    assert [event["number"] for event in events(workspace, last=2)] == [4, 5]
    assert len(events(workspace, kind="odd")) == 2
