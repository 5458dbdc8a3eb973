"""A support desk's life on a compressed clock: people staff it, a model learns from them, users are
served by real models, and the gate decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from fledgling.auto_learning.medallion import pipeline
from fledgling.auto_learning.outcomes import TaskOutcome, deliver
from fledgling.auto_learning.registry import Model, Registry
from fledgling.auto_learning.replies import Replies
from fledgling.auto_learning.rollout import check, open_test
from fledgling.auto_learning.settings import AutoLearningSection
from fledgling.auto_learning.traffic import Task, assign, serve
from fledgling.auto_learning.users import MASTER, Users, is_right
from fledgling.auto_learning.workshop import LocalWorkshop
from fledgling.auto_learning.workspace import Workspace
from fledgling.core.records import StepRecord


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

    Yields a ``served`` record a task (model, variant, reply, success) and a ``decision`` record a
    look.
    """
    step = 0
    with workshop.replies(Registry(workspace)) as replies:
        while open_test(workspace, MASTER) is not None:
            asked = [users.ask(later=True) for _ in range(look)]
            done = _serve(workspace, section, replies, users, asked)
            for outcome, variant in done:
                values = {
                    "model": outcome.model,
                    "variant": variant,
                    "prompt": outcome.task.prompt,
                    "reply": outcome.reply,
                    "success": outcome.success,
                    "quality": outcome.quality,
                }
                yield StepRecord(step, "served", outcome.task.id, values)
                step += 1
            deliver(workspace.inbox, f"{users.now:%Y-%m-%d}", [outcome for outcome, _ in done])
            pipeline.run(workspace, section, users.now)
            decision = check(workspace, section, MASTER, users.now)
            values = {"verdict": decision.verdict, "reason": decision.reason, "id": decision.id}
            yield StepRecord(
                step, "decision", decision.verdict, {**values, "tasks": decision.tasks}
            )


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


def names(workspace: Workspace) -> dict[str, str]:
    """Short names of the master's models, for tables and figures."""
    models: list[Model] = Registry(workspace).models(MASTER)
    return {model.id: model.id.removeprefix(f"{MASTER}-") for model in models}
