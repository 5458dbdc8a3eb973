import json
import signal
import subprocess
import sys

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file

from fledgling.core.errors import DataError, ModelError
from fledgling.core.layers import override
from fledgling.feedback.examples import ChatExample
from fledgling.feedback.trainer import collate, train, weighted_loss
from fledgling.models.tiny import tiny_model


def weights(folder):
    return load_file(folder / "adapter_model.safetensors")


def run(loaded, sums, training, folder, **options):
    return list(train(loaded, sums, training, folder=folder, **options))


def test_it_learns_and_peft_loads_what_it_wrote(tiny, sums, training, tmp_path):
    more = override(training, {"epochs": 20})
    records = run(tiny, sums, more, tmp_path / "sums")
    losses = [record.values["loss"] for record in records if record.event == "update"]
    assert losses[-1] < 0.7 * losses[0]
    assert records[0].event == "start" and records[-1].event == "done"
    before = tiny.model(input_ids=torch.tensor([[5, 6, 7]])).logits
    adapted = PeftModel.from_pretrained(tiny.model, str(tmp_path / "sums"))
    assert not torch.allclose(adapted(input_ids=torch.tensor([[5, 6, 7]])).logits, before)


def test_the_base_answers_as_before_while_and_after_it_trains(tiny, sums, training, tmp_path):
    ids = torch.tensor([[5, 6, 7]])
    before = tiny.model(input_ids=ids).logits
    for record in train(tiny, sums, training, folder=tmp_path / "a"):
        if record.event == "update":
            assert torch.equal(tiny.model(input_ids=ids).logits, before)
    assert not any("lora" in name for name, _ in tiny.model.named_modules())


def test_the_records_say_what_happened(tiny, sums, training, tmp_path):
    records = run(tiny, sums, training, tmp_path / "a")
    updates = [record for record in records if record.event == "update"]
    batches = [record for record in records if record.event == "batch"]
    assert (len(updates), len(batches)) == (8, 16)
    assert [record.step for record in updates] == list(range(1, 9))
    assert records[-1].values["tokens"] == sum(batch.values["tokens"] for batch in batches)
    assert updates[-1].values["tokens_per_second"] > 0 < updates[-1].values["peak_memory_mb"]


def test_the_same_call_again_trains_nothing_and_another_one_is_refused(
    tiny, sums, training, tmp_path
):
    run(tiny, sums, training, tmp_path / "a")
    first = weights(tmp_path / "a")
    again = run(tiny, sums, training, tmp_path / "a")
    assert [record.event for record in again] == ["done"] and again[0].values["updates"] == 8
    assert all(torch.equal(first[name], tensor) for name, tensor in weights(tmp_path / "a").items())
    with pytest.raises(ModelError, match="another training"):
        run(tiny, sums[:4], training, tmp_path / "a")


def test_a_stopped_training_goes_on_and_ends_where_an_unbroken_one_does(
    tiny, sums, training, tmp_path
):
    dropping = override(training, {"lora.dropout": 0.3})
    run(tiny, sums, dropping, tmp_path / "whole", seed=3)
    steps = train(tiny, sums, dropping, folder=tmp_path / "broken", seed=3)
    while next(steps).step < 5:
        pass
    steps.close()
    assert not (tmp_path / "broken").exists()
    records = run(tiny, sums, dropping, tmp_path / "broken", seed=3)
    assert records[0].values["resumed"] and len(records) < 24
    whole, broken = weights(tmp_path / "whole"), weights(tmp_path / "broken")
    assert all(torch.allclose(whole[name], broken[name], atol=1e-6) for name in whole)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["broken", "whole"]


def test_it_survives_kill_9(tmp_path):
    script = tmp_path / "training.py"
    script.write_text(_SCRIPT)
    command = [sys.executable, str(script), str(tmp_path / "adapter")]
    killed = subprocess.run([*command, "3"], capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL and not (tmp_path / "adapter").exists()
    resumed = subprocess.run([*command, "0"], capture_output=True, text=True, check=True)
    events = [json.loads(line) for line in resumed.stdout.splitlines()]
    assert events[0]["resumed"] and events[-1]["event"] == "done"
    assert min(event["step"] for event in events if event["event"] == "update") > 1
    assert resumed.stderr == "", "nothing may print noise"


_SCRIPT = """
import json, os, signal, sys
from pathlib import Path
from fledgling.core.layers import override
from fledgling.feedback.examples import ChatExample
from fledgling.feedback.trainer import train
from fledgling.models.tiny import tiny_model
from fledgling.settings import load_config

folder, kill_after = Path(sys.argv[1]), int(sys.argv[2])
changes = {"accumulation": 2, "checkpoint_seconds": 1e-6}
training = override(load_config().feedback.training, changes)
sums = [ChatExample(({"role": "user", "content": f"{n} + {n}?"},
                     {"role": "assistant", "content": str(2 * n)})) for n in range(8)]
for record in train(tiny_model(), sums, training, folder=folder):
    print(json.dumps(record.to_json()))
    if kill_after and record.event == "batch" and record.step == kill_after:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_checkpoint_cut_short_is_passed_over(tiny, sums, training, tmp_path):
    steps = train(tiny, sums, training, folder=tmp_path / "a")
    while next(steps).step < 4:
        pass
    steps.close()
    progress = tmp_path / ".a.progress"
    newest = max(progress.glob("checkpoint-*"), key=lambda path: int(path.name[11:]))
    (newest / "trainer_state.json").write_text('{"epo')
    records = run(tiny, sums, training, tmp_path / "a")
    assert records[-1].event == "done"
    first = next(record for record in records if record.event == "update")
    assert first.step == int(newest.name[11:])


def test_two_trainers_of_one_folder_are_refused(tiny, sums, training, tmp_path, refused_beside):
    told = refused_beside(
        train(tiny, sums, training, folder=tmp_path / "a"),
        lambda: next(train(tiny_model(), sums, training, folder=tmp_path / "a")),
    )
    assert "another trainer" in told


def test_it_goes_on_from_an_earlier_adapter(tiny, sums, training, tmp_path):
    run(tiny, sums, training, tmp_path / "first")
    still = override(training, {"lr": 1e-12, "epochs": 1})
    run(tiny, sums, still, tmp_path / "second", start=tmp_path / "first")
    first, second = weights(tmp_path / "first"), weights(tmp_path / "second")
    assert all(torch.allclose(first[name], second[name], atol=1e-6) for name in first)


def test_an_adapter_of_another_model_is_refused_by_name(tiny, sums, training, tmp_path):
    run(tiny_model(layers=3), sums, training, tmp_path / "deep")
    run(tiny_model(hidden=64), sums, training, tmp_path / "wide")
    for folder, complaint in ((tmp_path / "deep", "lacks"), (tmp_path / "wide", "64 wide")):
        with pytest.raises(ModelError, match=complaint):
            run(tiny, sums, training, tmp_path / "new", start=folder)
    assert not (tmp_path / "new").exists()


def test_a_full_disk_leaves_nothing_half_written(tiny, sums, training, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "peft.PeftModel.save_pretrained",
        lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left on device")),
    )
    with pytest.raises(ModelError, match="No space left"):
        run(tiny, sums, override(training, {"checkpoint_seconds": 1e6}), tmp_path / "a")
    assert not (tmp_path / "a").exists()
    monkeypatch.undo()
    assert run(tiny, sums, training, tmp_path / "a")[-1].event == "done"


def test_no_example_that_fits_is_an_error(tiny, training, tmp_path):
    long = ChatExample(
        ({"role": "user", "content": "a" * 900}, {"role": "assistant", "content": "b"})
    )
    with pytest.raises(DataError, match="none of the 1 examples"):
        run(tiny, [long], training, tmp_path / "a")


def test_the_loss_is_weighted_and_matches_the_models_own(tiny):
    from peft import LoraConfig, get_peft_model

    peft = get_peft_model(tiny.model, LoraConfig(target_modules=["q_proj"], task_type="CAUSAL_LM"))
    rows = [
        {"input_ids": [4, 5, 6, 7], "labels": [-100, -100, 6, 7], "weight": 1.0},
        {"input_ids": [8, 9, 10], "labels": [-100, 9, 10], "weight": 0.25},
    ]
    single = [collate([row], pad=0) for row in rows]
    own = [
        peft(
            input_ids=one["input_ids"], attention_mask=one["attention_mask"], labels=one["labels"]
        ).loss
        for one in single
    ]
    expected = (2 * own[0] * 1.0 + 2 * own[1] * 0.25) / 4
    assert torch.allclose(weighted_loss(peft, collate(rows, pad=0), 4), expected, atol=1e-5)
    assert torch.allclose(weighted_loss(peft, single[0], None), own[0], atol=1e-5)
