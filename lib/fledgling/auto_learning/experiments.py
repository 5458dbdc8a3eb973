"""A support desk's life on a compressed clock: people staff it, a model learns from them, users are
served by real models, and the gate decides.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from fledgling.auto_learning.clock import unstamp
from fledgling.auto_learning.fine_tuning import fine_tune
from fledgling.auto_learning.medallion import pipeline
from fledgling.auto_learning.metrics import course_of, join, median_and_power, promoted_by
from fledgling.auto_learning.outcomes import TaskOutcome, deliver
from fledgling.auto_learning.promotion.gate import decide
from fledgling.auto_learning.promotion.gathering import stored
from fledgling.auto_learning.promotion.trials import World, run_trials
from fledgling.auto_learning.registry import Registry
from fledgling.auto_learning.replies import Replies
from fledgling.auto_learning.rollout import check, deploy, get_test, open_test
from fledgling.auto_learning.settings import AutoLearningSection
from fledgling.auto_learning.traffic import Task, assign, serve
from fledgling.auto_learning.users import MASTER, PEOPLE, SYSTEM, Users, is_right
from fledgling.auto_learning.workshop import LocalWorkshop
from fledgling.auto_learning.workspace import Workspace
from fledgling.core.layers import override
from fledgling.core.records import StepRecord


def compressed(section: AutoLearningSection) -> AutoLearningSection:
    """The section of a demonstration: smaller numbers, and people alone are learned from, so that
    what a crew teaches wrongly is not mended by what the champion does rightly.
    """
    life = section.life
    return override(
        section,
        {
            "readiness.examples": life.examples,
            "gate.canary_tasks": life.canary_tasks,
            "collector.learned_from": [PEOPLE],
        },
    )


def live(
    workspace: Workspace, section: AutoLearningSection, workshop: LocalWorkshop, users: Users
) -> Iterator[StepRecord]:
    """Two chapters: a crew that knows its work, and one with a wrong handbook. In each people do
    tasks, a model learns from them, serves beside the champion, and is judged.

    Yields, with the chapter's name, ``collected``, the training's records, ``measured``,
    ``served`` a task, ``decision`` a look and ``course``; at the end ``alias`` a change of who
    served.
    """
    began = users.now
    for chapter, misled in (("better", False), ("spoiled", True)):
        for record in _chapter(workspace, section, workshop, users, misled=misled):
            yield replace(record, values={"chapter": chapter, **record.values})
    yield from _who_served(workspace, began, users.now)


def _chapter(
    workspace: Workspace,
    section: AutoLearningSection,
    workshop: LocalWorkshop,
    users: Users,
    *,
    misled: bool,
) -> Iterator[StepRecord]:
    staff_desk(workspace, section, users, tasks=section.life.staffed, misled=misled)
    report, rows = pipeline.collected(workspace, section), pipeline.rows(workspace)
    yield StepRecord(0, "collected", MASTER, {"report": report, "rows": rows})
    for record in fine_tune(
        workspace, section, MASTER, workshop.train, users.now, system=SYSTEM, only_new=True
    ):
        yield record
    registry = Registry(workspace)
    model, champion = registry.get(record.name), registry.start(MASTER, users.now)
    registry.measured(model.id, workshop.measure(workspace, model, champion))
    yield StepRecord(0, "measured", model.id, dict(registry.get(model.id).metrics))
    # whatever was predicted or broken: here the gate is to be seen deciding
    waived = registry.get(model.id).metrics.get("guardrails_broken") or []
    registry.measured(model.id, {"guardrails_broken": [], "guardrails_waived": waived})
    test = deploy(workspace, section, model.id, users.now)
    yield from serve_users(workspace, section, workshop, users, look=section.life.look)
    yield StepRecord(0, "course", model.id, _course(workspace, section, test.id))


def staff_desk(
    workspace: Workspace,
    section: AutoLearningSection,
    users: Users,
    *,
    tasks: int,
    misled: bool = False,
) -> list[TaskOutcome]:
    """People do so many tasks, which go through all layers."""
    done = [users.staffed(right=section.users.people_right, misled=misled) for _ in range(tasks)]
    deliver(workspace.inbox, f"people-{users.now:%Y-%m-%d}", done)
    pipeline.run(workspace, section, users.now)
    return done


def serve_users(
    workspace: Workspace,
    section: AutoLearningSection,
    workshop: LocalWorkshop,
    users: Users,
    *,
    look: int,
) -> Iterator[StepRecord]:
    """Serve real replies until the test that is under way is decided, looking every ``look`` tasks.

    Yields a ``served`` record a task and a ``decision`` record a look, with its seconds: from the
    look to the change of who serves.
    """
    step = 0
    with workshop.replies(Registry(workspace)) as replies:
        while open_test(workspace, MASTER) is not None:
            asked = [users.ask(later=True) for _ in range(look)]
            done = _serve(workspace, section, replies, users, asked)
            for outcome, variant in done:
                yield StepRecord(step, "served", outcome.task.id, _told(outcome, variant))
                step += 1
            deliver(workspace.inbox, f"{users.now:%Y-%m-%d}", [outcome for outcome, _ in done])
            pipeline.run(workspace, section, users.now)
            started = time.perf_counter()
            decision = check(workspace, section, MASTER, users.now)
            values = {
                "seconds": time.perf_counter() - started,
                "verdict": decision.verdict,
                "reason": decision.reason,
                "id": decision.id,
                "tasks": decision.tasks,
                "numbers": dict(decision.numbers),
            }
            yield StepRecord(step, "decision", decision.verdict, values)


def _told(outcome: TaskOutcome, variant: str) -> dict[str, Any]:
    return {
        "model": outcome.model,
        "variant": variant,
        "area": outcome.task.area,
        "prompt": outcome.task.prompt,
        "reply": outcome.reply,
        "success": outcome.success,
        "quality": outcome.quality,
        "waited": outcome.seconds,
    }


def _course(workspace: Workspace, section: AutoLearningSection, number: int) -> dict[str, Any]:
    """A test as its figure draws it."""
    test, evidence = get_test(workspace, number), stored(workspace, number)
    finding = decide(evidence, test.before, section)
    title = f"{short(test.challenger)} beside {short(test.champion)}"
    return course_of(evidence, test.before, section, finding, title)


def _who_served(workspace: Workspace, began: datetime, until: datetime) -> Iterator[StepRecord]:
    """Every change of an alias as hours since the beginning, and the end."""
    for number, change in enumerate(Registry(workspace).history(MASTER)):
        hours = (unstamp(change["since"]) - began).total_seconds() / 3600
        model = change["model"] and short(change["model"])
        values = {"alias": change["alias"], "model": model, "hours": hours}
        yield StepRecord(number, "alias", change["why"], values)
    hours = (until - began).total_seconds() / 3600
    yield StepRecord(0, "alias", "the end", {"alias": "", "model": None, "hours": hours})


def simulate(section: AutoLearningSection, seed: int) -> Iterator[StepRecord]:
    """The gate on simulated tests, looked at after every task: the same model twice, at the
    canary's share and at equal ones, then a better and a worse challenger. One ``trials`` record a
    world, with the share of tests that each rule promotes and the tasks it took.
    """
    trials, gate = section.trials, section.gate
    worlds = {
        "aa": (0.0, gate.canary_share),
        "aa_equal": (0.0, gate.decide_share),
        "gain5": (trials.gain, gate.decide_share),
        "loss15": (-trials.loss, gate.decide_share),
    }
    for number, (name, (gain, share)) in enumerate(worlds.items()):
        world = World(trials.completion, trials.quality, gain, share=share)
        stops = join(
            run_trials(
                world, section, tests=trials.tests, horizon=gate.horizon, seed=seed + number + 1
            )
        )
        decided = stops.gate_promotes if gain >= 0 else stops.gate_rolls_back
        median, power = median_and_power(decided)
        values = {"share": share, "rules": promoted_by(stops, share), "tests": trials.tests}
        yield StepRecord(number, "trials", name, {**values, "median": median, "power": power})


def _serve(
    workspace: Workspace,
    section: AutoLearningSection,
    replies: Replies,
    users: Users,
    asked: Sequence[Task],
) -> list[tuple[TaskOutcome, str]]:
    """Each task by the variant assigned to it; what the challenger could not do is its failure,
    though the champion answered.
    """
    test = open_test(workspace, MASTER)
    registry = Registry(workspace)
    champion, challenger = (registry.get(name) for name in (test.champion, test.challenger))
    answer = partial(replies.answer, max_new_tokens=section.users.reply_tokens)
    chosen = [assign(workspace, task, section.gate, users.now) for task in asked]
    served = serve(
        [task.prompt for task in asked],
        [one.variant for one in chosen],
        champion=partial(answer, champion),
        challenger=partial(answer, challenger),
        section=section.serving,
    )
    done = []
    for task, one, said in zip(asked, chosen, served, strict=True):
        outcome = users.rate(task, one.model, said.reply)
        if said.fault:
            outcome = replace(outcome, success=False, errors=1)
        done.append((outcome, one.variant))
    return done


def trial_tasks(section: AutoLearningSection, users: Users, count: int) -> list[Task]:
    """Tasks for predicting a model before it is deployed, from a stream of their own."""
    return [
        Users(section.users, users.now, seed=users.seed + 1000, count=10**6 + number).ask()
        for number in range(count)
    ]


def judge(task: Task, reply: str) -> float:
    """What the house's rule says of a reply."""
    return float(is_right(task, reply))


def short(model: str) -> str:
    """A model's name without its master's, for tables and figures.

    >>> short("support-ft-20261001-001")
    'ft-20261001-001'
    """
    return model.removeprefix(f"{MASTER}-")
