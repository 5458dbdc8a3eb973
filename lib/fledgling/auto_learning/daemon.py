"""The clockwork: collection by the hour, readiness and a full run by the day, status in between.

What was due while nobody ran is done once at the start. A kill at any moment loses nothing but the
work in hand, which the next run does again; the lock that lets only one daemon run falls with its
process.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from fledgling.auto_learning import work
from fledgling.auto_learning.clock import Clock, JumpWatch, stamp, unstamp
from fledgling.auto_learning.events import mirror, tell
from fledgling.auto_learning.settings import AutoLearningSection
from fledgling.auto_learning.workspace import Workspace

log = logging.getLogger(__name__)

Do = Callable[[Workspace, AutoLearningSection, datetime], None]
TABLES, TRAINING = "tables", "training"  # one worker each: a long training delays no collection


@dataclass(frozen=True)
class Job:
    """Something done regularly, in this clock's time."""

    name: str
    trigger: BaseTrigger
    do: Do
    worker: str = TABLES


class ClockTrigger(BaseTrigger):
    """A trigger that is asked in the time of a faster clock and answers in the machine's."""

    def __init__(self, trigger: BaseTrigger, clock: Clock) -> None:
        self.trigger, self.clock = trigger, clock

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        before = self.clock.of(previous_fire_time) if previous_fire_time else None
        coming = self.trigger.get_next_fire_time(before, self.clock.of(now))
        # A machine's microsecond is many of a fast clock's: the time just fired at, rounded, may
        # lie before itself there, and would come again for ever.
        if coming and previous_fire_time and self.clock.real(coming) <= previous_fire_time:
            coming = self.trigger.get_next_fire_time(coming, self.clock.of(now))
        return self.clock.real(coming) if coming else None


class Daemon:
    """Runs the jobs of a workspace until told to stop."""

    def __init__(
        self,
        folder: Path,
        section: AutoLearningSection,
        open_workshop: work.OpenWorkshop,
        *,
        clock: Clock | None = None,
        more: tuple[Job, ...] = (),
    ) -> None:
        self.folder, self.section = folder, section
        self.clock = clock or Clock()
        self.stop = threading.Event()
        self.jobs = (*_jobs(section, open_workshop, self.clock), *more)
        self.scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={name: ThreadPoolExecutor(1) for name in (TABLES, TRAINING)},
            # however late, a job runs, and once for all the times it was missed
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def run(self) -> None:
        """Work until ``stop`` is set. Raises ``RunError`` when a daemon is at work there
        already.
        """
        with Workspace.open(self.folder) as workspace, workspace.only_one("daemon"):
            tell(workspace, self.clock.now(), "started", speed=self.clock.speed)
            for job in self.jobs:
                self._schedule(workspace, job)
            self.scheduler.start()
            watch = JumpWatch(self.section.daemon.jump_s)
            try:
                while not self.stop.wait(self.section.daemon.look_s / self.clock.speed):
                    jumped = watch.look()
                    if jumped:
                        self.clock_changed(workspace, jumped)
            finally:
                self.scheduler.shutdown(wait=True)
                tell(workspace, self.clock.now(), "stopped")
                mirror(workspace)

    def _schedule(self, workspace: Workspace, job: Job) -> None:
        """From the last run on, so that what was missed meanwhile is due at once."""
        row = workspace.store.execute(
            "SELECT last_run FROM jobs WHERE name = ?", (job.name,)
        ).fetchone()
        now = self.clock.now()
        last = unstamp(row["last_run"]) if row else None
        due = job.trigger.get_next_fire_time(last, min(last, now)) if last else None
        missed = due is not None and due <= now
        if missed:
            tell(workspace, now, "missed", job=job.name, due=stamp(due))
        # APScheduler reads next_run_time=None as "paused", so it is left out where not missed
        at_once = {"next_run_time": self.clock.real(now)} if missed else {}
        self.scheduler.add_job(
            self._do,
            ClockTrigger(job.trigger, self.clock),
            args=[job],
            id=job.name,
            executor=job.worker,
            **at_once,
        )

    def _do(self, job: Job) -> None:
        """Run a job with a store of its own: this is a worker's thread. What is still queued when
        the daemon is told to stop is left for its next start.
        """
        if self.stop.is_set():
            return
        with Workspace.open(self.folder) as workspace:
            now = self.clock.now()
            try:
                job.do(workspace, self.section, now)
            except Exception as error:  # a job that fails is told of, and tried again in its turn
                log.exception("job %s failed", job.name)
                tell(workspace, now, "failed", job=job.name, error=work.said(error))
            workspace.store.execute(
                "INSERT INTO jobs (name, last_run) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET last_run = excluded.last_run",
                (job.name, stamp(now)),
            )
            mirror(workspace)

    def clock_changed(self, workspace: Workspace, jumped: float) -> None:
        """The machine's clock was set by ``jumped`` seconds. Set forward, what is now overdue is
        done, once; set back, the next times are worked out again, or nothing would be done until
        the old ones come.
        """
        tell(workspace, self.clock.now(), "clock_changed", seconds=round(jumped, 3))
        if jumped < 0:
            for job in self.jobs:
                trigger = ClockTrigger(job.trigger, self.clock)
                self.scheduler.reschedule_job(job.name, trigger=trigger)
        self.scheduler.wakeup()


def _jobs(
    section: AutoLearningSection, open_workshop: work.OpenWorkshop, clock: Clock
) -> tuple[Job, ...]:
    daemon, start = section.daemon, clock.start
    return (
        Job("collect", every(timedelta(minutes=daemon.collect_minutes), start), work.collect),
        Job(
            "readiness",
            daily(daemon.readiness_at),
            lambda workspace, section, now: work.look_at_readiness(
                workspace, section, now, open_workshop
            ),
            worker=TRAINING,
        ),
        Job("pipeline", daily(daemon.pipeline_at), work.verify),
        Job("status", every(timedelta(hours=daemon.status_hours), start), work.report_status),
    )


def every(interval: timedelta, start: datetime) -> BaseTrigger:
    """At ``start`` and then at every interval."""
    return IntervalTrigger(seconds=interval.total_seconds(), start_date=start, timezone="UTC")


def daily(at: str) -> BaseTrigger:
    """Every day at "HH:MM", UTC."""
    hour, minute = at.split(":")
    return CronTrigger(hour=hour, minute=minute, timezone="UTC")
