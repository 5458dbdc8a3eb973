"""Readiness, training and registration, on a tiny model."""

import json

import pytest

from fledgling.auto_learning import guardrails
from fledgling.auto_learning.fine_tuning import export_hosted, fine_tune
from fledgling.auto_learning.medallion import pipeline
from fledgling.auto_learning.readiness import examples, readiness
from fledgling.auto_learning.registry import Registry
from fledgling.auto_learning.replies import load_state
from fledgling.auto_learning.traffic import Task
from fledgling.auto_learning.workshop import LocalWorkshop
from fledgling.core.errors import DataError, ModelError
from fledgling.core.layers import override
from fledgling.core.records import StepRecord


@pytest.fixture
def small(section):
    """Few examples suffice, and an adapter that fits the tiny model."""
    adapter = {"first_layer": 0, "rank": 4}
    return override(
        section,
        {
            "readiness.examples": 6,
            "training": {"lora": adapter, "batch_size": 4, "epochs": 2, "lr": 0.01},
            "guardrails": {
                "anchors": 2,
                "anchor_tokens": 4,
                "anchor_kl": 50.0,
                "locality": 0.0,
                "slowdown": 1000.0,
            },
        },
    )


@pytest.fixture
def filled(workspace, small, write_lines, outcome, now):
    """Twenty good outcomes, each with a question of its own."""
    write_lines("a", *[outcome(number) for number in range(20)], outcome(99, quality=2.0))
    pipeline.run(workspace, small, now)
    return workspace


def stand_in(learned, folder):
    """A trainer that writes a file."""
    folder.mkdir()
    (folder / "weights").write_text(str(len(learned)))
    took = {"updates": 1, "loss": 0.5, "seconds": 2.0, "tokens": 100, "tokens_per_second": 50.0}
    yield StepRecord(1, "done", folder.name, took)


def test_readiness_counts_only_training_examples_that_are_new(filled, small, now):
    state = readiness(filled, small, "support")
    chosen = examples(filled, small, "support")
    assert state.examples == state.new == len(chosen) < 20
    assert "task-99" not in set(chosen["task_id"])
    assert state.ready and state.percent == 100.0
    texts = sum(len(row.prompt) + len(row.reply) for row in chosen.itertuples())
    assert state.tokens == round(texts / small.readiness.chars_per_token)
    assert state.usd == pytest.approx(state.tokens / 1e6)
    list(fine_tune(filled, small, "support", stand_in, now))
    after = readiness(filled, small, "support")
    assert (after.new, after.percent, after.trained_models) == (0, 0.0, 1)
    assert after.local_seconds == pytest.approx(after.tokens * 2 / 50.0)  # measured: 50 a second


def test_the_documented_cost_of_the_documented_example(section):
    """1,250 examples of 500 tokens at the documented price are $0.63."""
    assert 1250 * 500 / 1e6 * section.readiness.usd_per_million_tokens == pytest.approx(
        0.63, abs=0.006
    )
    assert section.readiness.examples == 1000


def test_a_question_asked_often_is_one_lesson(workspace, small, write_lines, outcome, now):
    write_lines("a", *[outcome(number, prompt="Same question?") for number in range(20)])
    pipeline.run(workspace, small, now)
    assert readiness(workspace, small, "support").examples == 1


def test_a_model_is_registered_with_its_lineage_and_never_made_twice(filled, small, now):
    records = list(fine_tune(filled, small, "support", stand_in, now))
    registry = Registry(filled)
    model = registry.get(records[-1].name)
    assert model.id == "support-ft-20261005-001" and model.parent == "support-base"
    assert model.settings["lr"] == 0.01 and len(model.data_hash) == 64
    assert model.metrics["examples"] == readiness(filled, small, "support").examples
    registry.check_files(model)
    with pytest.raises(DataError, match=r"0 new examples of 6 \(0%\)"):
        list(fine_tune(filled, small, "support", stand_in, now))
    filled.store.execute("DELETE FROM trained")
    with pytest.raises(DataError, match="on these very examples"):
        list(fine_tune(filled, small, "support", stand_in, now))


def test_a_training_that_breaks_off_registers_nothing_and_can_be_begun_again(filled, small, now):
    def broken(learned, folder):
        folder.mkdir()
        yield StepRecord(0, "step", folder.name)
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        list(fine_tune(filled, small, "support", broken, now))
    assert [model.id for model in Registry(filled).models("support")] == ["support-base"]
    *_, done = fine_tune(filled, small, "support", stand_in, now)
    assert done.name.endswith("-001")


def test_only_new_examples_where_that_is_wanted(filled, small, write_lines, outcome, now):
    list(fine_tune(filled, small, "support", stand_in, now))
    write_lines("b", *[outcome(number) for number in range(100, 120)])
    pipeline.run(filled, small, now)
    *_, done = fine_tune(filled, small, "support", stand_in, now, only_new=True)
    new = Registry(filled).get(done.name)
    assert new.id.endswith("-002") and 6 <= new.metrics["examples"] <= 20


def test_the_hosted_file_holds_the_training_side_and_is_checked(filled, small):
    path = export_hosted(filled, small, "support")
    lines = [json.loads(line)["messages"] for line in path.read_text().splitlines()]
    assert len(lines) == readiness(filled, small, "support").examples
    assert [message["role"] for message in lines[0]] == ["system", "user", "assistant"]
    with pytest.raises(DataError, match="no example yet"):
        export_hosted(filled, small, "security")


def test_a_models_replies_are_its_own_and_the_base_is_the_base(tiny, small, filled, now):
    workshop = LocalWorkshop(tiny, small)
    *_, done = fine_tune(filled, small, "support", workshop.train, now)
    registry = Registry(filled)
    base, model = registry.get("support-base"), registry.get(done.name)
    assert model.metrics["updates"] > 0 and model.metrics["tokens_per_second"] > 0
    with workshop.replies(registry) as replies:
        plain = replies.answer(base, ["Where is invoice 3?"], max_new_tokens=8)
        tuned = replies.answer(model, ["Where is invoice 3?"], max_new_tokens=8)
        assert replies.answer(base, ["Where is invoice 3?"], max_new_tokens=8) == plain != tuned
    (registry.folder(model) / "adapter_model.safetensors").write_bytes(b"nonsense")
    with workshop.replies(registry) as replies, pytest.raises(ModelError, match="not those"):
        replies.answer(model, ["Hello?"], max_new_tokens=4)
    with pytest.raises(ModelError, match="is damaged"):
        load_state(registry.folder(model))


def test_a_model_is_measured_before_it_may_serve(tiny, small, filled, now):
    trial = [Task(f"t-{number}", "support", f"What is {number}?") for number in range(5)]
    workshop = LocalWorkshop(tiny, small, trial=trial, judge=lambda task, reply: 0.5)
    *_, done = fine_tune(filled, small, "support", workshop.train, now)
    registry = Registry(filled)
    model, base = registry.get(done.name), registry.get("support-base")
    found = workshop.measure(filled, model, base)
    assert found["guardrails_broken"] == [] and found["anchor_kl"] > 0
    assert found["tasks"] == 5 and found["probability"] == pytest.approx(0.5)
    strict = override(small, {"guardrails": {"anchor_kl": 1e-9, "locality": 1.0}})
    told = LocalWorkshop(tiny, strict).measure(filled, model, base)["guardrails_broken"]
    assert any("anchor_kl" in line for line in told)
    nothing = LocalWorkshop(tiny, small).measure(filled, base, base)
    assert nothing["anchor_kl"] == pytest.approx(0.0, abs=1e-6) and nothing["locality"] == 1.0


def test_safety_probes_are_read_and_broken_ones_named(tmp_path):
    assert len(guardrails.read_probes()) >= 8
    path = tmp_path / "probes.jsonl"
    path.write_text('{"prompt": "a", "forbidden": "b"}\n{"prompt": "a", "forbidden": "("}\n')
    with pytest.raises(DataError, match="line 2"):
        guardrails.read_probes(path)
