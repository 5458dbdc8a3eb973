"""Who does a task: the champion, or for a share of the traffic the challenger.

The choice is a hash of the task's (or user's) id under a salt of the test: stable, and independent
of everything that could matter. When the share grows, nobody is moved away from the challenger.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fledgling.auto_learning.clock import stamp
from fledgling.auto_learning.registry import CHALLENGER, CHAMPION, Registry
from fledgling.auto_learning.settings import GateSection, ServingSection
from fledgling.auto_learning.workspace import Workspace
from fledgling.core.database import transaction
from fledgling.core.errors import ModelError

log = logging.getLogger(__name__)

# prompts → a reply each
Answer = Callable[[Sequence[str]], list[str]]


@dataclass(frozen=True)
class Task:
    """Something a user wants done."""

    id: str
    master: str
    prompt: str
    user: str = ""
    area: str = "general"


@dataclass(frozen=True)
class Assignment:
    """Which model does a task, and as which variant."""

    model: str
    variant: str = CHAMPION


def assign(workspace: Workspace, task: Task, gate: GateSection, now: datetime) -> Assignment:
    """Choose who does the task; asked again, the answer is the same. Raises ``ModelError`` for a
    master without a champion.
    """
    champion = Registry(workspace).serving(task.master)
    if champion is None:
        raise ModelError(
            f"master {task.master!r} has no champion; start it with Registry.start, or"
            f" `fledgling auto trigger {task.master}`"
        )
    with transaction(workspace.store):
        test = workspace.store.execute(
            "SELECT id, champion, challenger, share FROM tests WHERE master = ? AND ended IS NULL",
            (task.master,),
        ).fetchone()
        if test is None:
            return Assignment(champion.id)
        variant = _remembered(workspace, test["id"], task.id)
        if variant is None:
            variant = _draw(workspace, test["id"], test["share"], task, gate, now)
    return Assignment(test[variant], variant)


def _remembered(workspace: Workspace, test: int, task_id: str) -> str | None:
    row = workspace.store.execute(
        "SELECT variant FROM assignments WHERE test = ? AND task_id = ?", (test, task_id)
    ).fetchone()
    return None if row is None else row["variant"]


def _draw(
    workspace: Workspace, test: int, share: float, task: Task, gate: GateSection, now: datetime
) -> str:
    unit = task.user if gate.unit == "user" and task.user else task.id
    variant = CHALLENGER if uniform(f"test {test}", unit) < share else CHAMPION
    # Tasks of one user are alike, so that only the first is a fresh draw: the others tell less
    # than their number, and evidence counts one task a unit.
    seen = workspace.store.execute(
        "SELECT 1 FROM assignments WHERE test = ? AND unit = ?", (test, unit)
    ).fetchone()
    workspace.store.execute(
        "INSERT INTO assignments (test, task_id, unit, variant, share, area, at, counts)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (test, task.id, unit, variant, share, task.area, stamp(now), seen is None),
    )
    return variant


def uniform(salt: str, unit: str) -> float:
    """A number in [0, 1) that looks drawn at random and is the same every time.

    >>> round(uniform("test 1", "task-1"), 6)
    0.887265
    """
    digest = hashlib.blake2b(unit.encode(), key=salt.encode()[:64], digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53


@dataclass(frozen=True)
class Served:
    """A reply, and why it is not the challenger's where it should have been."""

    reply: str
    fault: str = ""


def serve(
    prompts: Sequence[str],
    variants: Sequence[str],
    *,
    champion: Answer,
    challenger: Answer,
    section: ServingSection,
) -> list[Served]:
    """Replies to prompts, each by the variant assigned to it, those of one model together. Where
    the challenger crashes, stalls or says nothing, the champion answers the user, and the fault is
    the challenger's outcome.
    """
    served: dict[int, Served] = {}
    theirs = [place for place, variant in enumerate(variants) if variant == CHALLENGER]
    if theirs:
        said, fault = _within(section.stall_s, challenger, [prompts[place] for place in theirs])
        for place, reply in zip(theirs, said, strict=True):
            served[place] = Served(reply, fault or _fault(reply, section))
            if served[place].fault:
                log.warning("the challenger %s; the champion answers", served[place].fault)
    ours = [place for place in range(len(prompts)) if place not in served or served[place].fault]
    said = champion([prompts[place] for place in ours]) if ours else []
    for place, reply in zip(ours, said, strict=True):
        served[place] = Served(reply, served[place].fault if place in served else "")
    return [served[place] for place in range(len(prompts))]


def _fault(reply: object, section: ServingSection) -> str:
    if not isinstance(reply, str):
        return f"said {type(reply).__name__} where text was asked for"
    return "said nothing" if len("".join(reply.split())) < section.reply_chars else ""


def _within(seconds: float, answer: Answer, prompts: list[str]) -> tuple[list[str], str]:
    """(a reply each, fault), within so many seconds a prompt. The thread is a daemon: one that
    stalls for good does not keep the process from ending.
    """
    found: list[tuple[list[str], str]] = []
    nothing = [""] * len(prompts)

    def work() -> None:
        try:
            said = list(answer(prompts))
            whole = len(said) == len(prompts)
            fault = f"gave {len(said)} replies to {len(prompts)} prompts"
            found.append((said, "") if whole else (nothing, fault))
        except Exception as error:  # whatever a model raises must not reach the user
            found.append((nothing, f"crashed: {type(error).__name__}: {error}"))

    thread = threading.Thread(target=work, name="challenger", daemon=True)
    thread.start()
    thread.join(seconds * len(prompts))
    return found[0] if found else (nothing, f"stalled for {seconds * len(prompts):g} s")
