"""The comparisons: named runs, equal budgets, the test read once, own tasks of any number."""

import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
import torch

from fledgling.settings import load_config
from fledgling.tasks.experiments import (
    Headline,
    Sequel,
    mistakes,
    sample_efficiency,
    shared_gradients,
    strategies,
)
from fledgling.tasks.metrics import histories
from fledgling.tasks.study import Study, prepare_study


@pytest.fixture(scope="module")
def headline(study: Study) -> Headline:
    """Trained."""
    made = Headline(study.changed(updates_per_epoch=15))
    list(made.train())
    return made


class Sealed(tuple):
    """A test set that may be read so many times, and then never again."""

    readings = 0

    def __iter__(self):
        assert self.readings > 0, "the test was read"
        self.readings -= 1
        return super().__iter__()

    def __getitem__(self, place):
        raise AssertionError("the test was read")


def test_the_test_is_read_once_for_the_report(study: Study) -> None:
    sealed = {task: Sealed(splits.test) for task, splits in study.tasks.items()}
    tasks = {task: replace(splits, test=sealed[task]) for task, splits in study.tasks.items()}
    headline = Headline(replace(study, tasks=tasks))
    list(headline.train())
    sequel = Sequel(headline, ("none", "rehearsal"))
    list(sequel.train())
    sequel.lost()
    list(strategies(headline.study, ("mixed.pcgrad", "curriculum")))
    list(sample_efficiency(headline.study, (0.5,)))
    mistakes(headline.trainers["together"].evaluate())
    for one in sealed.values():
        one.readings = 6  # each of two models: the texts, the answers, the copy
    report = headline.report()
    assert [len(result.correct) for result in report["together"].values()] == [40, 40]
    assert {
        len(result.correct) for task in study.tasks for result in report[f"alone.{task}"].values()
    } == {40}
    assert all(one.readings == 0 for one in sealed.values())


def test_the_report_is_of_the_test(headline: Headline) -> None:
    report = headline.report()
    for task, result in report["together"].items():
        assert result.examples == headline.study.tasks[task].test
        right = [
            one.answer == given for one, given in zip(result.examples, result.answers, strict=True)
        ]
        assert result.accuracy == pytest.approx(sum(right) / len(right))


def test_alone_and_together_have_the_same_budget_a_task(headline: Headline) -> None:
    last = {record.run: record for record in headline.records}
    assert set(last) == {"together", "alone.kindergarten", "alone.math"}
    assert last["alone.math"].examples * 2 == last["together"].examples
    assert set(last["alone.math"].accuracy) == {"math"}


def test_headline_metrics(headline: Headline) -> None:
    report = headline.report()
    metrics = headline.metrics(report)
    history = histories(headline.records, "together")["math"]
    assert metrics["peak.math"] == max(history)
    assert metrics["accuracy.math"] == report["together"]["math"].accuracy
    difference = report["together"]["math"].accuracy - report["alone.math"]["math"].accuracy
    assert metrics["transfer.math"] == difference
    assert metrics["seconds_until_0.95"] is None and metrics["seconds_over_alone"] > 0


def test_the_configured_strategy_acts_in_the_headline(study: Study) -> None:
    headline = Headline(study.changed(strategy="sequential", remedy="rehearsal"))
    assert [record.trained for record in headline.train() if record.run == "together"] == [
        ("kindergarten",),
        ("kindergarten",),
        ("math",),
        ("math",),
    ]


def test_the_sequel_goes_on_from_the_first_tasks_own_model(headline: Headline) -> None:
    sequel = Sequel(headline, ("none", "rehearsal"))
    records = list(sequel.train())
    for remedy in ("none", "rehearsal"):
        accuracies = histories(records, f"sequential.{remedy}")
        assert len(accuracies["kindergarten"]) == 4 and len(accuracies["math"]) == 2
    assert [record.updates for record in records] == [15 * epoch for epoch in (1, 2, 3, 4)] * 2
    metrics = sequel.metrics(records)
    known = metrics["sequential.just_taught.kindergarten"]
    assert known == histories(headline.records, "alone.kindergarten")["kindergarten"][-1]
    kept = sequel.trainers["sequential.none"].evaluate()["kindergarten"].accuracy
    lost = sequel.lost()["sequential.none"]
    assert lost.mean == pytest.approx((known - kept) / known)
    low = metrics["sequential.none.forgetting_low.kindergarten"]
    assert low <= lost.mean <= metrics["sequential.none.forgetting_high.kindergarten"]


def test_a_shared_first_phase_changes_nothing(headline: Headline) -> None:
    study = headline.study.changed(strategy="sequential", remedy="rehearsal")
    *_, whole = study.trainer().train()
    *_, later = Sequel(headline, ("rehearsal",)).train()
    assert later.loss == pytest.approx(whole.loss, rel=1e-3)


def test_strategies_are_named_as_configured(study: Study) -> None:
    names = ("alternating", "mixed.uncertainty")
    records = list(strategies(study.changed(**{"experiment.epochs": 1}), names))
    assert [record.run for record in records] == list(names)
    assert [record.updates for record in records] == [4, 4]


def test_sample_efficiency_varies_only_the_examples(study: Study) -> None:
    records = list(sample_efficiency(study, (0.5, 1.0)))
    runs = ["together", "alone.kindergarten", "alone.math"]
    assert [record.run for record in records] == [f"efficiency.{run}" for run in runs * 2]
    half, whole = records[0], records[3]
    assert half.updates == whole.updates
    assert half.train_examples["math"] * 2 == pytest.approx(whole.train_examples["math"], abs=1)


def test_a_run_that_is_known_is_not_run_again(study: Study) -> None:
    study = study.changed(**{"experiment.epochs": 1})
    *_, known = strategies(study, ("alternating",))
    (first, *_) = sample_efficiency(study, (1.0,), [replace(known, loss=123.0)])
    assert first.run == "efficiency.together" and first.loss == 123.0
    (other, *_) = sample_efficiency(study, (0.5,), [replace(known, loss=123.0)])
    assert other.loss != 123.0


def test_every_shared_parameter_has_a_gradient_from_both_tasks(study: Study) -> None:
    norms = shared_gradients(study.trainer())
    assert len(norms) > 20
    assert all(norm > 0 for by_task in norms.values() for norm in by_task.values())


def test_mistakes_are_the_wrong_answers(headline: Headline) -> None:
    results = headline.trainers["together"].evaluate()
    found = mistakes(results)
    assert len(found) == sum(int((~result.correct).sum()) for result in results.values()) > 0
    assert all(one.right != one.given for one in found)


@pytest.fixture
def own_tasks(tmp_path: Path, small: dict) -> Study:
    """Three tasks, each with letters that the others have not."""
    rows = [
        {
            "text": f"{task} {word}{number}",
            "task": task,
            "skill": "any",
            "level": 1,
            "answer": answers[place],
        }
        for task, answers in (("colour", "rgb"), ("shape", "oqo"), ("größe", "sml"))
        for number, (place, word) in product(range(12), enumerate("abc"))
    ]
    path = tmp_path / "own.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    section = load_config(overrides=small | {"tasks.data.path": str(path)}).tasks
    return prepare_study(section, seed=0)


def test_three_tasks_of_ones_own(own_tasks: Study) -> None:
    *_, last = strategies(own_tasks, ("curriculum",))
    assert set(last.accuracy) == {"colour", "shape", "größe"}
    assert last.updates == 12
    headline = Headline(own_tasks)
    list(headline.train())
    assert set(headline.report()) == {"together", *(f"alone.{task}" for task in last.accuracy)}
    lost = Sequel(headline, ("ewc",))
    assert {record.phase for record in lost.train()} == {0, 1, 2}


def test_a_task_alone_starts_from_the_same_backbone(own_tasks: Study) -> None:
    whole, alone = own_tasks.model(), own_tasks.only("größe").model()
    mine = alone.shared_parameters()
    assert all(torch.equal(part, mine[name]) for name, part in whole.shared_parameters().items())
