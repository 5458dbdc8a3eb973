"""The comparisons: named runs, equal budgets, shared gradients, own tasks of any number."""

import json
from pathlib import Path

import pytest

from fledgling.core.records import StepRecord
from fledgling.settings import load_config
from fledgling.tasks.experiments import (
    Setting,
    alone,
    histories,
    prepare_setting,
    remedies,
    sample_efficiency,
    seconds_until,
    shared_gradients,
    together,
)

SMALL = {
    "tasks.data.train_per_skill": 20,
    "tasks.data.held_out_per_skill": 4,
    "tasks.epochs": 2,
    "tasks.updates_per_epoch": 2,
    "tasks.batch_size": 8,
    "tasks.graph.hidden": 16,
    "tasks.graph.feed_forward": 16,
    "tasks.graph.heads": 2,
}


@pytest.fixture(scope="module")
def setting() -> Setting:
    return prepare_setting(load_config(overrides=SMALL).tasks, seed=0)


def test_alone_and_together_have_the_same_budget_a_task(setting: Setting) -> None:
    records = [*alone(setting), *together(setting, strategy="mixed", balancing="pcgrad")]
    assert {record.name for record in records} == {
        "alone.kindergarten",
        "alone.math",
        "mixed.pcgrad",
    }
    last = {record.name: record.values for record in records}
    assert last["alone.math"]["examples"] * 2 == last["mixed.pcgrad"]["examples"]
    assert set(histories(records, "alone.math")) == {"math"}


def test_remedies_share_the_first_phase(setting: Setting) -> None:
    records = list(remedies(setting, ("none", "rehearsal")))
    one, two = (histories(records, f"sequential.{name}") for name in ("none", "rehearsal"))
    assert one["kindergarten"][:2] == two["kindergarten"][:2] and len(one["math"]) == 4


def test_sample_efficiency_varies_only_the_examples(setting: Setting) -> None:
    records = list(sample_efficiency(setting, (0.5, 1.0)))
    assert [record.name for record in records] == [
        "together",
        "alone.kindergarten",
        "alone.math",
    ] * 2
    half, whole = records[0].values, records[3].values
    assert half["updates"] == whole["updates"]
    assert half["train_examples"]["math"] * 2 == pytest.approx(
        whole["train_examples"]["math"], abs=1
    )


def test_every_shared_parameter_has_a_gradient_from_both_tasks(setting: Setting) -> None:
    norms = shared_gradients(setting.trainer())
    assert len(norms) > 20
    assert all(norm > 0 for by_task in norms.values() for norm in by_task.values())


def test_seconds_until_both() -> None:
    records = [
        StepRecord(1, "epoch", "x", {"accuracy": {"a": 0.99, "b": 0.5}, "seconds": 1.0}),
        StepRecord(2, "epoch", "x", {"accuracy": {"a": 0.97, "b": 0.96}, "seconds": 2.5}),
    ]
    assert seconds_until(records, 0.95) == 2.5
    assert seconds_until(records[:1], 0.95) is None


def test_three_tasks_of_ones_own(tmp_path: Path) -> None:
    rows = [
        {
            "text": f"{task} {word}{number}",
            "task": task,
            "skill": "any",
            "level": 1,
            "answer": answer,
        }
        for task, answers in (("colour", "rgb"), ("shape", "oq"), ("größe", "sml"))
        for number in range(12)
        for word, answer in zip("abc", answers, strict=False)
    ]
    path = tmp_path / "own.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    section = load_config(overrides=SMALL | {"tasks.data.path": str(path)}).tasks
    own = prepare_setting(section, seed=0)
    last = list(together(own, strategy="curriculum"))[-1].values
    assert set(last["accuracy"]) == {"colour", "shape", "größe"}
    assert last["updates"] == 12
