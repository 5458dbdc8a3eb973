import json

import pytest
from peft import PeftModel
from typer.testing import CliRunner

from fledgling import cli
from fledgling.feedback import cli as ours
from fledgling.models import export as exporting
from fledgling.models import loading
from fledgling.models.tiny import tiny_model

QUICK = ["--set", "feedback.training.epochs=1", "--set", "feedback.preferences.epochs=1"]
GOOD = {"query": "1 + 1?", "response": "2", "feedback_type": "positive"}
FIXED = {"query": "Capital?", "bad_response": "It is Sydney.", "correction": "Canberra"}


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(loading, "load_model", lambda *_: tiny_model())
    return lambda *arguments: CliRunner().invoke(ours.app, [str(one) for one in arguments])


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join([json.dumps(GOOD), '{"query": 1', json.dumps(FIXED)]))
    return path


def test_train_makes_a_peft_folder_and_names_what_it_left_out(run, data, tmp_path):
    result = run("train", "--data", data, "--out", tmp_path / "a", *QUICK)
    assert result.exit_code == 0, result.output
    assert "line 2 left out: not valid JSON" in result.output
    assert "2 examples, 1 pairs" in result.output and "memory about" in result.output
    assert "tokens/s, peak memory" in result.output
    PeftModel.from_pretrained(tiny_model().model, str(tmp_path / "a"))
    assert (tmp_path / "a" / "loss.png").is_file()
    again = run("train", "--data", data, "--out", tmp_path / "a", *QUICK)
    assert again.exit_code == 0, "the same training is finished already"


def test_an_adapter_is_exported_and_every_hop_is_shown(run, data, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "load_model", lambda *_: tiny_model())
    run("train", "--data", data, "--out", tmp_path / "a", *QUICK)
    changes = ["--set", "feedback.export.texts=2"]
    result = run("export", tmp_path / "a", tmp_path / "out", "--form", "q8_0", *changes)
    assert result.exit_code == 0, result.output
    assert all(hop in result.output for hop in ("adapter", "merged", "q8_0"))
    kept = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert kept == ["adapter", "merged", "model.q8_0.gguf"]


def test_a_dry_run_states_the_memory_of_a_model_that_is_not_here(run, data, tmp_path):
    arguments = ("--model", "mistral-7b-qlora", "--dry-run", "--out", tmp_path / "a")
    result = run("train", "--data", data, *arguments)
    assert result.exit_code == 0, result.output
    assert "7,241,732,096 parameters" in result.output.replace("\n", " ")
    assert not (tmp_path / "a").exists()


def test_nothing_to_train_on_is_one_message(run, tmp_path, capsys):
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(SystemExit):
        cli.main(["train", "--data", str(tmp_path / "empty.jsonl")])
    said = capsys.readouterr().err
    assert said.startswith("error:") and "nothing to train on" in said


def test_feedback_goes_into_a_store_and_out_again(run, data, tmp_path):
    store = tmp_path / "store.sqlite"
    taken = run("feedback", "import", store, data)
    assert "2 taken in, 1 left out; 2 kept" in taken.output
    out = run("feedback", "export", store, tmp_path / "pairs.jsonl", "--form", "pairs")
    assert "1 records" in out.output
    pair = json.loads((tmp_path / "pairs.jsonl").read_text())
    assert (pair["chosen"], pair["rejected"]) == ("It is Canberra.", "It is Sydney.")


def test_what_is_pending_in_a_store_becomes_the_serving_adapter(run, data, tmp_path):
    store = tmp_path / "store.sqlite"
    run("feedback", "import", store, data)
    made = run("feedback", "watch", store, tmp_path / "adapters", "--now", *QUICK)
    assert made.exit_code == 0 and "adapter-0001" in made.output, made.output
    assert (tmp_path / "adapters" / "current.json").is_file()
    again = run("feedback", "watch", store, tmp_path / "adapters", "--now", *QUICK)
    assert "nothing is pending" in again.output
