"""The comparisons of notebook 03: together and alone, one after the other, strategies, sample
efficiency, shared gradients.

Each yields epoch records whose ``run`` tells them apart, measured on validation; the test is read
once, by ``Headline.report``. The configuration's ``strategy``, ``remedy`` and ``balancing`` act in
``Headline``; every other experiment is about them, so it names its own by ``Study.changed``.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from fledgling.core.statistics import Interval
from fledgling.tasks.metrics import EpochRecord, histories, lost, seconds_until, task_metrics
from fledgling.tasks.model import TaskResult
from fledgling.tasks.study import Study
from fledgling.tasks.trainer import MultitaskTrainer

# Nothing earlier to forget, and every update sees all there is: how a task is taught by itself.
PLAIN = {"strategy": "alternating", "remedy": "none", "balancing": "fixed"}


# Run → task → the answers to the test.
Report = dict[str, dict[str, TaskResult]]


class Headline:
    """All tasks in one model, as configured (run ``together``), and each task in a model of its own
    with the updates that it got there (``alone.<task>``).
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.records: list[EpochRecord] = []
        self.trainers = {"together": study.trainer()}
        for task in study.tasks:
            self.trainers[f"alone.{task}"] = study.only(task).changed(**PLAIN).trainer()
        self.model = self.trainers["together"].model

    def train(self) -> Iterator[EpochRecord]:
        """The records of all runs, which are kept too."""
        for run, trainer in self.trainers.items():
            for record in trainer.train():
                self.records.append(replace(record, run=run))
                yield self.records[-1]

    def report(self) -> Report:
        """Read the test with all models: once, when nothing is left to choose."""
        return {run: self.study.report(trainer.model) for run, trainer in self.trainers.items()}

    def metrics(self, report: Report) -> dict[str, float | None]:
        """``accuracy`` and ``transfer`` of the test; peaks, forgetting and times of validation."""
        metrics: dict[str, float | None] = task_metrics(histories(self.records, "together"))
        for task, result in report["together"].items():
            alone = report[f"alone.{task}"][task]
            metrics[f"accuracy.{task}"] = result.accuracy
            metrics[f"transfer.{task}"] = result.accuracy - alone.accuracy
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
        self.first = next(iter(headline.study.tasks))
        run = f"alone.{self.first}"
        self.taught = [record for record in headline.records if record.run == run]
        self.before = headline.trainers[run].evaluate()[self.first]
        self.trainers: dict[str, MultitaskTrainer] = {}
        sequential = headline.study.changed(strategy="sequential", balancing="fixed")
        for remedy in remedies:
            model = sequential.model()
            model.adopt(headline.trainers[run].model)
            trainer = sequential.changed(remedy=remedy).trainer(model)
            trainer.updates_done = self.taught[-1].updates
            trainer.examples_seen = self.taught[-1].examples
            self.trainers[f"sequential.{remedy}"] = trainer

    def train(self) -> Iterator[EpochRecord]:
        """Records of the runs ``sequential.<remedy>``, each with those of the first phase too."""
        for run, trainer in self.trainers.items():
            for record in (*self.taught, *trainer.train(first_phase=1)):
                yield replace(record, run=run)

    def lost(self) -> dict[str, Interval]:
        """Run → share of what was known of the first task that is lost at the end."""
        return {
            run: lost(self.before.correct, trainer.evaluate()[self.first].correct)
            for run, trainer in self.trainers.items()
        }

    def metrics(self, records: Sequence[EpochRecord]) -> dict[str, float]:
        """``sequential.just_taught.<first>``, and for each remedy what ``task_metrics`` says, with
        the interval of the first task's forgetting.
        """
        metrics = {f"sequential.just_taught.{self.first}": self.before.accuracy}
        for run, share in self.lost().items():
            found = task_metrics(histories(records, run))
            found[f"forgetting_low.{self.first}"] = share.low
            found[f"forgetting_high.{self.first}"] = share.high
            metrics |= {f"{run}.{key}": value for key, value in found.items()}
        return metrics


def strategies(study: Study, names: Sequence[str]) -> Iterator[EpochRecord]:
    """One run of all tasks a strategy, named as in the configuration: ``mixed`` or
    ``mixed.pcgrad``.
    """
    budget = study.changed(epochs=study.section.experiment.epochs, remedy="none")
    for name in names:
        strategy, _, balancing = name.partition(".")
        way = budget.changed(strategy=strategy, balancing=balancing or "fixed")
        for record in way.trainer().train():
            yield replace(record, run=name)


def sample_efficiency(
    study: Study, shares: Sequence[float], known: Iterable[EpochRecord] = ()
) -> Iterator[EpochRecord]:
    """Together and alone on random shares of the training examples, the number of updates
    unchanged. Only the last record of each run, ``efficiency.together`` or
    ``efficiency.alone.<task>``. What ``known``, records of ``strategies``, hold of the plain run
    on every example is not run again.
    """
    plain = [record for record in known if record.run == PLAIN["strategy"]]
    budget = study.changed(epochs=study.section.experiment.epochs, **PLAIN)
    for share in shares:
        small = budget.thinned(share)
        runs = {"together": small, **{f"alone.{task}": small.only(task) for task in small.tasks}}
        for name, one in runs.items():
            is_known = bool(plain) and share == 1.0 and name == "together"
            *_, last = plain if is_known else one.trainer().train()
            yield replace(last, run=f"efficiency.{name}")


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
