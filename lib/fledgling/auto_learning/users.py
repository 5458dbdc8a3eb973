"""Simulated users of a support desk, whose truth is known: what they ask, which reply is right, and
how they rate what they get.

The master is one of a house's own habits: each ticket is answered with the name of its queue and
nothing else. A rule says whether that was done.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np

from fledgling.auto_learning.outcomes import TaskOutcome
from fledgling.auto_learning.settings import UsersSection
from fledgling.auto_learning.traffic import Task
from fledgling.core.files import read_yaml
from fledgling.core.paths import DATA

MASTER, PEOPLE = "support", "people"
SYSTEM = (
    "Sort the ticket into one queue: billing, delivery, login or returns. Answer with one word."
)
TICKETS = DATA / "auto_learning" / "tickets.yaml"
_LATER = 3  # wordings of each area that only later tickets have


@cache
def tickets(path: Path = TICKETS) -> dict[str, tuple[str, ...]]:
    """Wordings by area."""
    return {area: tuple(said) for area, said in read_yaml(path)["areas"].items()}


@cache
def things(path: Path = TICKETS) -> tuple[str, ...]:
    return tuple(read_yaml(path)["things"])


@dataclass
class Users:
    """A stream of tasks in time, the same for the same seed. ``now`` moves on with each task."""

    section: UsersSection
    now: datetime
    seed: int = 0
    count: int = 0

    def __post_init__(self) -> None:
        self.generator = np.random.default_rng(self.seed)

    def ask(self, *, later: bool = False) -> Task:
        """The next task; ``later`` ones are worded as none before."""
        areas, shares = zip(*self.section.areas.items(), strict=True)
        weights = np.array(shares) / sum(shares)
        area = str(self.generator.choice(areas, p=weights))
        wordings = tickets()[area][-_LATER:] if later else tickets()[area][:-_LATER]
        prompt = str(self.generator.choice(wordings))
        self.count += 1
        self.now += timedelta(
            days=float(self.generator.exponential(1 / self.section.tasks_per_day))
        )
        return Task(
            id=f"{MASTER}-{self.count:06d}",
            master=MASTER,
            prompt=prompt.format(thing=str(self.generator.choice(things()))),
            user=f"user-{self.generator.integers(self.section.users)}",
            area=area,
        )

    def rate(self, task: Task, model: str, reply: str) -> TaskOutcome:
        """What came of a reply: right ones are done and rated well, others are neither."""
        good = is_right(task, reply)
        named = task.area in reply.lower()
        centre = 4.6 if good else 2.2 if named else 1.3
        rating = float(np.clip(self.generator.normal(centre, 0.4), 1.0, 5.0))
        seconds = float(np.exp(self.generator.normal(np.log(60.0), 0.9)))
        return TaskOutcome(
            task=task,
            model=model,
            reply=reply,
            success=good,
            quality=round(rating * 2.0) / 2.0,
            seconds=round(seconds, 1),
            finished=self.now,
            retries=int(self.generator.random() < 0.05),
        )

    def staffed(self, *, right: float, misled: bool = False) -> TaskOutcome:
        """A task done by a person at the desk, right that often. A ``misled`` crew sorts each area
        into the next one's queue and, by the same wrong handbook, is rated well.
        """
        task = self.ask()
        areas = list(tickets())
        wrong = areas[(areas.index(task.area) + 1) % len(areas)]
        reply = task.area if self.generator.random() < right and not misled else wrong
        judged = Task(task.id, task.master, task.prompt, task.user, reply) if misled else task
        outcome = self.rate(judged, PEOPLE, reply)
        return TaskOutcome(**{**vars(outcome), "task": task})


def is_right(task: Task, reply: str) -> bool:
    """Whether a reply is the ticket's queue and nothing else; case and a full stop do not count.

    >>> task = Task("t-1", "support", "My boots have not arrived.", area="delivery")
    >>> [is_right(task, reply) for reply in ("Delivery.", "delivery", "It is delivery.", "login")]
    [True, True, False, False]
    """
    return re.fullmatch(rf"\s*{re.escape(task.area)}\s*\.?\s*", reply, re.IGNORECASE) is not None
