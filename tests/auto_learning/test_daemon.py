import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from fledgling.auto_learning import work
from fledgling.auto_learning.clock import Clock, stamp
from fledgling.auto_learning.daemon import ClockTrigger, Daemon, Job, daily, every
from fledgling.auto_learning.events import events
from fledgling.auto_learning.registry import Registry
from fledgling.auto_learning.stand_ins import simulated, skill
from fledgling.auto_learning.workspace import Workspace
from fledgling.core.errors import RunError
from fledgling.core.layers import override

PATIENCE = 120  # seconds; a busy machine is no failure


def nothing(workspace, section, now):
    """A job that does nothing."""


def wait_for(condition):
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


def told(folder):
    with Workspace.open(folder) as workspace:
        return [event["event"] for event in events(workspace)]


class Running:
    """A daemon in a thread, stopped at the end."""

    def __init__(self, folder, section, *, clock=None, jobs=()):
        self.daemon = Daemon(folder, section, lambda: 1 / 0, clock=clock, more=jobs)
        self.thread = threading.Thread(target=self.daemon.run)

    def __enter__(self):
        self.thread.start()
        wait_for(lambda: self.daemon.scheduler.running)
        return self.daemon

    def __exit__(self, *_):
        self.daemon.stop.set()
        self.thread.join(PATIENCE)


def test_a_fast_clocks_trigger_fires_in_the_machines_time():
    start = datetime(2026, 10, 5, 0, 30, tzinfo=UTC)
    clock = Clock(speed=1000.0, start=start)
    daily_at_two = ClockTrigger(daily("02:00"), clock)
    first = daily_at_two.get_next_fire_time(None, start)
    assert first == start + timedelta(hours=1.5) / 1000
    assert daily_at_two.get_next_fire_time(first, first) == first + timedelta(days=1) / 1000
    hourly = ClockTrigger(every(timedelta(hours=1), start), clock)
    assert hourly.get_next_fire_time(None, start) == start


@pytest.mark.parametrize("odd", range(0, 1000, 37))
def test_a_time_fired_at_does_not_come_again_by_rounding(odd):
    start = datetime(2026, 10, 5, 0, 30, 39, 200_000 + odd, tzinfo=UTC)
    trigger = ClockTrigger(daily("01:00"), Clock(speed=3000.0, start=start))
    fired = trigger.get_next_fire_time(None, start)
    for _ in range(5):
        following = trigger.get_next_fire_time(fired, fired + timedelta(seconds=1))
        assert timedelta(seconds=28) < following - fired < timedelta(seconds=29.5)
        fired = following


def test_jobs_run_at_their_times_and_it_stops_cleanly(tmp_path, section):
    ran = []
    job = Job(
        "count",
        every(timedelta(minutes=10), datetime.now(UTC)),
        lambda workspace, chosen, now: ran.append(now),
    )
    with Running(tmp_path, section, clock=Clock(speed=3000.0), jobs=(job,)):
        wait_for(lambda: len(ran) >= 3 and "tables" in told(tmp_path))
    gaps = [later - earlier for earlier, later in pairwise(ran)]
    assert all(gap > timedelta(minutes=1) for gap in gaps)
    kinds = told(tmp_path)
    assert kinds[0] == "started" and kinds[-1] == "stopped"
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == kinds


def test_only_one_daemon_works_in_a_folder(tmp_path, section):
    refused = pytest.raises(RunError, match=rf"id {os.getpid()}\).*'daemon'")
    with Running(tmp_path, section), refused:
        Daemon(tmp_path, section, lambda: None).run()
    with Running(tmp_path, section):
        pass  # the lock fell with the first


def test_what_was_missed_is_done_once_at_the_start(tmp_path, section):
    ran = []
    start = datetime.now(UTC) - timedelta(days=3)
    with Workspace.open(tmp_path) as workspace:
        long_ago = stamp(datetime.now(UTC) - timedelta(hours=5, minutes=20))
        workspace.store.execute("INSERT INTO jobs VALUES ('count', ?)", (long_ago,))
    job = Job(
        "count", every(timedelta(hours=1), start), lambda workspace, chosen, now: ran.append(now)
    )
    with Running(tmp_path, section, jobs=(job,)):
        wait_for(lambda: ran)
        time.sleep(0.3)
    assert len(ran) == 1
    with Workspace.open(tmp_path) as workspace:
        assert [event["job"] for event in events(workspace, kind="missed")] == ["count"]


def test_a_job_that_fails_is_told_of_and_the_others_go_on(tmp_path, section):
    def broken(workspace, chosen, now):
        raise ValueError("no room on the disk")

    ran = []
    now = datetime.now(UTC)
    jobs = (
        Job("broken", every(timedelta(hours=1), now), broken),
        Job("sound", every(timedelta(hours=1), now), lambda *_: ran.append(1)),
    )
    with Running(tmp_path, section, clock=Clock(speed=20000.0), jobs=jobs):
        wait_for(lambda: len(ran) >= 2 and told(tmp_path).count("failed") >= 2)
    with Workspace.open(tmp_path) as workspace:
        found = events(workspace, kind="failed")[0]
    assert (found["job"], found["error"]) == ("broken", "ValueError: no room on the disk")


def test_a_clock_set_back_does_not_silence_the_jobs(tmp_path, section):
    job = Job("hourly", every(timedelta(hours=1), datetime.now(UTC)), nothing)
    with Running(tmp_path, section, jobs=(job,)) as daemon:
        # as it stands when the clock was a day ahead and is set right
        ahead = datetime.now(UTC) + timedelta(days=1)
        daemon.scheduler.modify_job("hourly", next_run_time=ahead)
        with Workspace.open(tmp_path) as workspace:
            daemon.clock_changed(workspace, -86400.0)
            assert events(workspace, kind="clock_changed")[0]["seconds"] == -86400.0
        following = daemon.scheduler.get_job("hourly").next_run_time
        assert following - datetime.now(UTC) < timedelta(hours=1, seconds=5)


def test_a_clock_set_forward_makes_overdue_jobs_run(tmp_path, section):
    ran = []
    start = datetime.now(UTC) + timedelta(hours=1)
    job = Job("hourly", every(timedelta(hours=1), start), lambda *_: ran.append(1))
    with Running(tmp_path, section, jobs=(job,)) as daemon:
        # the scheduler still sleeps until a time that has passed meanwhile
        stored = daemon.scheduler._lookup_job("hourly", None)[0]
        stored.next_run_time = datetime.now(UTC) - timedelta(minutes=1)
        daemon.scheduler._jobstores["default"].update_job(stored)
        with Workspace.open(tmp_path) as workspace:
            daemon.clock_changed(workspace, 7200.0)
        wait_for(lambda: ran)


def start_daemon(folder, *more):
    command = [sys.executable, "-m", "fledgling", "auto", "daemon", "--folder", str(folder), *more]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_kill_9_then_again_then_a_clean_stop(tmp_path):
    options = ("--simulate", "--compress", "5000", "--set", "auto_learning.readiness.examples=60")
    process = start_daemon(tmp_path, *options)
    try:
        wait_for(lambda: (tmp_path / "events.jsonl").is_file() and "collected" in told(tmp_path))
    finally:
        process.kill()
    process.communicate()
    again = start_daemon(tmp_path, *options)
    try:
        wait_for(lambda: told(tmp_path).count("started") == 2)
        wait_for(lambda: "collected" in told(tmp_path)[told(tmp_path).index("started", 1) :])
        refused = start_daemon(tmp_path)
        _, said = refused.communicate(timeout=PATIENCE)
        assert refused.returncode == 1 and f"id {again.pid}" in said
    finally:
        again.send_signal(signal.SIGTERM)
        again.communicate(timeout=PATIENCE)
    assert again.returncode == 0 and told(tmp_path)[-1] == "stopped"


def test_a_whole_life_of_stand_ins(workspace, section):
    """Without a clock: users, collection, readiness and training in turn, until one is promoted."""
    life = override(section, {"readiness.examples": 60, "users.tasks_per_day": 2000})
    clock = Clock(speed=2.0, start=datetime(2026, 10, 1, tzinfo=UTC))
    open_workshop, (users,) = simulated(life, clock, seed=1)
    for hour in range(1, 60):
        now = clock.start + timedelta(hours=hour)
        users.do(workspace, life, now)
        work.collect(workspace, life, now)
        work.look_at_readiness(workspace, life, now, open_workshop)
        if {"promoted", "rolled_back"} & {event["event"] for event in events(workspace)}:
            break
    kinds = {event["event"] for event in events(workspace)}
    assert {"collected", "readiness", "trained", "deployed", "decision"} <= kinds
    promoted = events(workspace, kind="promoted")
    registry = Registry(workspace)
    for event in promoted:
        new, old = registry.get(event["model"]), registry.get("support-base")
        assert skill(new, life) > skill(old, life)
    assert promoted or "rolled_back" in kinds
    state = work.status(workspace, life, "support")
    assert state.champion == (promoted[-1]["model"] if promoted else "support-base")
