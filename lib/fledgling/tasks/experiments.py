"""The comparisons of notebook 03: together and alone, one after the other, strategies, sample
efficiency, shared gradients.

Each yields epoch records whose ``run`` tells them apart, measured on validation; the test is read
once, by ``Headline.report``. The configuration's ``strategy``, ``remedy`` and ``balancing`` act in
``Headline``; every other experiment is about them, so it names its own by ``Study.changed``.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fledgling.core.statistics import Interval
from fledgling.tasks.metrics import EpochRecord, histories, lost, seconds_until, task_metrics
from fledgling.tasks.model import TaskResult
from fledgling.tasks.study import Study
from fledgling.tasks.trainer import MultitaskTrainer

# Nothing earlier to forget, and every update sees all there is: how a task is taught by itself.
PLAIN = {"strategy": "alternating", "remedy": "none", "balancing": "fixed"}


@dataclass(frozen=True)
class Report:
    """The answers to the test, by task: of the model of all tasks, and of each task's own."""

    together: dict[str, TaskResult]
    alone: dict[str, TaskResult]


class Headline:
    """All tasks in one model, as configured, and each task in a model of its own with the updates
    that it got there.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.records: list[EpochRecord] = []
        self.together = study.trainer()
        self.alone = {task: study.only(task).changed(**PLAIN).trainer() for task in study.tasks}

    def train(self) -> Iterator[EpochRecord]:
        """Records of the runs ``together`` and ``alone.<task>``."""
        own = {f"alone.{task}": trainer for task, trainer in self.alone.items()}
        for run, trainer in ({"together": self.together} | own).items():
            for record in trainer.train():
                self.records.append(record.named(run))
                yield self.records[-1]

    def report(self) -> Report:
        """Read the test with all models: once, when nothing is left to choose."""
        alone = {}
        for trainer in self.alone.values():
            alone |= self.study.report(trainer.model)
        return Report(self.study.report(self.together.model), alone)

    def metrics(self, report: Report) -> dict[str, float | None]:
        """``accuracy`` and ``transfer`` of the test; peaks, forgetting and times of validation."""
        metrics: dict[str, float | None] = {}
        metrics |= task_metrics(histories(self.records, "together"))
        for task, result in report.together.items():
            metrics[f"accuracy.{task}"] = result.accuracy
            metrics[f"transfer.{task}"] = result.accuracy - report.alone[task].accuracy
        last = {record.run: record.seconds for record in self.records}
        metrics["seconds"] = last.pop("together")
        metrics["seconds_over_alone"] = metrics["seconds"] / statistics.mean(last.values())
        metrics["seconds_until_0.95"] = seconds_until(self.records, "together", 0.95)
        return metrics


class Sequel:
    """One task after the other, with each of several remedies against forgetting the first.

    The first phase, the same for all, is not trained again: it is the headline's model of the first
    task alone. What is to be forgotten must have been learned, with the whole budget.
    """

    def __init__(self, headline: Headline, remedies: Sequence[str]) -> None:
        self.headline, self.first = headline, next(iter(headline.study.tasks))
        sequential = headline.study.changed(strategy="sequential", balancing="fixed")
        self.trainers = {remedy: self._after_first(sequential, remedy) for remedy in remedies}

    def _after_first(self, sequential: Study, remedy: str) -> MultitaskTrainer:
        taught, model = self.headline.alone[self.first], sequential.model()
        model.adopt(taught.model)
        trainer = sequential.changed(remedy=remedy).trainer(model)
        trainer.updates_done, trainer.examples_seen = taught.updates_done, taught.examples_seen
        return trainer

    def train(self) -> Iterator[EpochRecord]:
        """Records of the runs ``sequential.<remedy>``, each with those of the first phase too."""
        taught = [one for one in self.headline.records if one.run == f"alone.{self.first}"]
        for remedy, trainer in self.trainers.items():
            for record in (*taught, *trainer.train(first_phase=1)):
                yield record.named(f"sequential.{remedy}")

    def lost(self) -> dict[str, Interval]:
        """Remedy → share of what was known of the first task that is lost at the end."""
        before = self.headline.alone[self.first].evaluate()[self.first].correct
        return {
            remedy: lost(before, trainer.evaluate()[self.first].correct)
            for remedy, trainer in self.trainers.items()
        }

    def metrics(self, records: Sequence[EpochRecord]) -> dict[str, float]:
        """``sequential.just_taught.<first>``, and for each remedy what ``task_metrics`` says, with
        the interval of the first task's forgetting.
        """
        found = {}
        for remedy, share in self.lost().items():
            history = histories(records, f"sequential.{remedy}")
            name = f"sequential.{remedy}"
            found |= {f"{name}.{key}": value for key, value in task_metrics(history).items()}
            found[f"{name}.forgetting_low.{self.first}"] = share.low
            found[f"{name}.forgetting_high.{self.first}"] = share.high
        taught = self.headline.alone[self.first].evaluate()[self.first].accuracy
        return found | {f"sequential.just_taught.{self.first}": taught}


def strategies(study: Study, names: Sequence[str]) -> Iterator[EpochRecord]:
    """One run of all tasks a strategy, named as in the configuration: ``mixed`` or
    ``mixed.pcgrad``.
    """
    budget = study.changed(epochs=study.section.experiment.epochs, remedy="none")
    for name in names:
        strategy, _, balancing = name.partition(".")
        for record in (
            budget.changed(strategy=strategy, balancing=balancing or "fixed").trainer().train()
        ):
            yield record.named(name)


def sample_efficiency(study: Study, shares: Sequence[float]) -> Iterator[EpochRecord]:
    """Together and alone on random shares of the training examples, the number of updates
    unchanged. Only the last record of each run, ``efficiency.together`` or
    ``efficiency.alone.<task>``.
    """
    budget = study.changed(epochs=study.section.experiment.epochs, **PLAIN)
    for share in shares:
        small = budget.thinned(share)
        runs = {"together": small, **{f"alone.{task}": small.only(task) for task in small.tasks}}
        for name, one in runs.items():
            *_, last = one.trainer().train()
            yield last.named(f"efficiency.{name}")


@dataclass(frozen=True)
class Mistake:
    """A wrong answer: what was asked, what is right, what was said."""

    task: str
    skill: str
    level: int
    text: str
    right: str
    given: str


def mistakes(results: Mapping[str, TaskResult]) -> list[Mistake]:
    """The wrong answers, task after task."""
    return [
        Mistake(task, one.skill, one.level, one.text, one.answer, given)
        for task, result in results.items()
        for one, given in zip(result.examples, result.answers, strict=True)
        if one.answer != given
    ]


def shared_gradients(trainer: MultitaskTrainer) -> dict[str, dict[str, float]]:
    """Shared parameter → task → norm of the task's gradient there; above 0 everywhere where all is
    truly shared.
    """
    shared = trainer.model.shared_parameters()
    sizes = [parameter.numel() for parameter in shared.values()]
    norms: dict[str, dict[str, float]] = {name: {} for name in shared}
    for task, gradient in trainer.task_gradients().items():
        for name, piece in zip(shared, gradient.split(sizes), strict=True):
            norms[name][task] = float(piece.norm())
    return norms
