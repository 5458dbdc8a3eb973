"""Habits, the middle tier: what kind of reply this user wants, learned from two or three
corrections into one small adapter that acts on every reply.

The corrections tell which habit it is (``recognise``). The base's own replies to other prompts,
brought into the wanted form by the habit's rule, are the lesson: their content is the base's, so
only the form is learned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fledgling.core.errors import DataError
from fledgling.core.files import read_yaml
from fledgling.core.paths import DATA
from fledgling.core.records import StepRecord
from fledgling.facts.measuring.anchors import held_in, held_out
from fledgling.feedback.examples import ChatExample
from fledgling.feedback.habit_rules import RULES
from fledgling.feedback.judging.signals import Embeds
from fledgling.feedback.settings import HabitsSection, TrainingSection
from fledgling.feedback.trainer import train
from fledgling.models.generation import replies
from fledgling.models.loading import LoadedModel

HABITS = DATA / "feedback" / "habits.yaml"
Correction = tuple[str, str, str]  # question, the reply that was not liked, the one wanted


@dataclass(frozen=True)
class Habit:
    """A habit's wish in words, the corrections that show it, and prompts of its own where it
    concerns only some questions.
    """

    name: str
    wish: str
    shown: tuple[Correction, ...]
    own_train: tuple[str, ...] = ()
    own_held_out: tuple[str, ...] = ()


def read_habits(path: Path = HABITS) -> dict[str, Habit]:
    """The habits by name. Raises ``DataError`` for one without a rule, or of another shape."""
    habits = {}
    for name, value in read_yaml(path).items():
        if name not in RULES:
            raise DataError(f"{path}: habit {name!r} has no rule; there are {', '.join(RULES)}")
        try:
            shown = tuple((str(a), str(b), str(c)) for a, b, c in value["shown"])
            own = value.get("prompts", {})
            prompts = (tuple(own.get("train", ())), tuple(own.get("held_out", ())))
            habits[name] = Habit(name, value["wish"], shown, *prompts)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path}: habit {name!r} is not wish and shown: {error}") from error
    return habits


def recognise(corrections: Sequence[Correction]) -> list[str]:
    """The habits that every wanted reply follows and no other one does; one correction may show
    several, two or three rarely do.
    """
    if not corrections:
        return []
    return [
        name
        for name, rule in RULES.items()
        if all(rule.follows(wanted) and not rule.follows(bad) for _, bad, wanted in corrections)
    ]


def lesson(
    names: Sequence[str], shown: Sequence[Correction], own: Sequence[tuple[str, str]]
) -> list[ChatExample]:
    """What is learned from: the wanted replies of the corrections, and the base's ``own`` replies
    (prompt, reply) in the wanted form of all the habits together.
    """
    rows = [(question, wanted) for question, _, wanted in shown]
    for prompt, reply in own:
        for name in names:
            reply = RULES[name].mend(reply) if reply else ""
        if reply and all(RULES[name].follows(reply) for name in names):
            rows.append((prompt, reply))
    return [
        ChatExample(({"role": "user", "content": a}, {"role": "assistant", "content": b}))
        for a, b in rows
    ]


def learn_habits(
    loaded: LoadedModel,
    habits: Sequence[Habit],
    section: HabitsSection,
    training: TrainingSection,
    *,
    folder: Path,
    seed: int = 0,
) -> Iterator[StepRecord]:
    """Learn habits into the adapter ``folder``; yields what ``trainer.train`` does."""
    names = [habit.name for habit in habits]
    prompts = train_prompts(habits, section.rehearsed)
    said = replies(loaded, prompts, max_new_tokens=section.max_new_tokens)
    shown = [correction for habit in habits for correction in habit.shown]
    rows = lesson(names, shown, list(zip(prompts, said, strict=True)))
    changed = training.model_copy(
        update={
            "lr": section.lr,
            "epochs": section.epochs,
            "accumulation": section.accumulation,
        }
    )
    yield from train(loaded, rows, changed, folder=folder, seed=seed)


def train_prompts(habits: Sequence[Habit], count: int) -> list[str]:
    """Prompts to rehearse on: the habits' own first, then general ones."""
    own = [prompt for habit in habits for prompt in habit.own_train]
    return [*own, *held_in()][: max(count, 1)]


def unseen_prompts(habit: Habit, count: int) -> list[str]:
    """Prompts that no lesson holds: the habit's own where it has any, else general ones."""
    return list(habit.own_held_out or held_out())[:count]


@dataclass(frozen=True)
class HabitScore:
    """Shares of held-out replies that follow a habit: by its ``adapter``, with the wish in the
    prompt, and with nothing; and how near the adapter's replies stay to the base's in meaning, as
    a share of what the rule's own rewriting keeps.
    """

    name: str
    followed: float
    prompted: float
    nothing: float
    content_kept: float
    count: int
    example: str = ""


def score_habit(
    habit: Habit,
    prompts: Sequence[str],
    said: dict[str, Sequence[str]],
    embedder: Embeds,
) -> HabitScore:
    """``said``: replies to ``prompts`` by ``adapter``, ``prompted`` and ``nothing``."""
    rule = RULES[habit.name]
    shares = {who: float(np.mean([rule.follows(one) for one in said[who]])) for who in said}
    mended = [rule.mend(one) or one for one in said["nothing"]]
    base = embedder.embed(list(said["nothing"]))
    near = [
        float((base * embedder.embed(list(texts))).sum(axis=1).mean())
        for texts in (said["adapter"], mended)
    ]
    return HabitScore(
        habit.name,
        shares["adapter"],
        shares["prompted"],
        shares["nothing"],
        near[0] / max(near[1], 1e-9),
        len(prompts),
        said["adapter"][0],
    )


def measure_habit(
    base: LoadedModel,
    adapted: LoadedModel,
    habit: Habit,
    section: HabitsSection,
    embedder: Embeds,
) -> HabitScore:
    """Held-out replies by the adapter, by the base with the wish in its prompt, and by the base."""
    prompts = unseen_prompts(habit, section.prompts)
    limit = section.max_new_tokens
    said = {
        "adapter": replies(adapted, prompts, max_new_tokens=limit),
        "prompted": replies(base, prompts, max_new_tokens=limit, system=habit.wish),
        "nothing": replies(base, prompts, max_new_tokens=limit),
    }
    return score_habit(habit, prompts, said, embedder)
