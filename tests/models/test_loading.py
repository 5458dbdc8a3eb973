"""Loading: conversion is whole or not at all, and what is missing says how to get it."""

import importlib.util
import json
import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
import torch
import transformers

from fledgling.core.errors import MissingExtra, ModelError
from fledgling.core.runtime import Runtime
from fledgling.models import loading
from fledgling.models.loading import (
    EMBEDDED,
    load_model,
    package_file,
    prepare_embedded,
    resolve,
    usable,
)
from fledgling.models.tiny import tiny_model
from fledgling.settings import load_config

CPU = Runtime(torch.device("cpu"), torch.float32, 1, 0)


def section(**changes):
    return load_config(overrides={"models": changes}).models


@pytest.fixture
def tiny_source(tmp_path, monkeypatch):
    """A home of its own, and a tiny model in place of the packaged GGUF file. Counts how often it
    is read.
    """
    monkeypatch.setenv("FLEDGLING_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(loading, "package_file", lambda package, suffix: tmp_path / "model.gguf")
    source, reads = tiny_model(), []
    monkeypatch.setattr(
        transformers.AutoModelForCausalLM,
        "from_pretrained",
        lambda *arguments, **options: (reads.append(arguments), source.model)[1],
    )
    monkeypatch.setattr(
        transformers.AutoTokenizer,
        "from_pretrained",
        lambda *arguments, **options: source.tokenizer,
    )
    return SimpleNamespace(
        folder=tmp_path / "home" / "models" / EMBEDDED, reads=reads, model=source.model
    )


def test_conversion_writes_a_plain_model_once(tiny_source):
    folder = prepare_embedded()
    assert folder == tiny_source.folder and prepare_embedded() == folder
    assert len(tiny_source.reads) == 1
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {
        file.name for file in folder.iterdir()
    }
    assert "quantization" not in (folder / "config.json").read_text()
    again = transformers.LlamaForCausalLM.from_pretrained(folder)
    expected = tiny_source.model.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in again.state_dict().items())


@pytest.mark.parametrize("fault", [OSError("No space left on device"), KeyboardInterrupt()])
def test_an_interrupted_conversion_leaves_nothing_and_can_be_repeated(
    tiny_source, monkeypatch, fault
):
    save = transformers.LlamaForCausalLM.save_pretrained

    def half(self, folder, **options):
        save(self, folder, **options)
        raise fault

    monkeypatch.setattr(transformers.LlamaForCausalLM, "save_pretrained", half)
    expected = ModelError if isinstance(fault, OSError) else KeyboardInterrupt
    with pytest.raises(expected, match="FLEDGLING_HOME" if expected is ModelError else None):
        prepare_embedded()
    left = [path.name for path in tiny_source.folder.parent.iterdir()]
    assert [name for name in left if not name.endswith(".lock")] == []
    monkeypatch.setattr(transformers.LlamaForCausalLM, "save_pretrained", save)
    assert (prepare_embedded() / "model.safetensors").is_file()


def test_what_a_killed_conversion_left_is_cleared_away(tiny_source):
    stale = tiny_source.folder.parent / f".{EMBEDDED}.dead"
    stale.mkdir(parents=True)
    (stale / "config.json").write_text("{")
    prepare_embedded()
    assert not stale.exists()


def test_concurrent_callers_wait_for_one_conversion(tiny_source, monkeypatch):
    save, seen = transformers.LlamaForCausalLM.save_pretrained, []
    started, go_on = threading.Event(), threading.Event()

    def slow(self, folder, **options):
        started.set()
        assert go_on.wait(30)
        save(self, folder, **options)

    monkeypatch.setattr(transformers.LlamaForCausalLM, "save_pretrained", slow)
    callers = [
        threading.Thread(target=lambda: seen.append((prepare_embedded() / "config.json").is_file()))
        for _ in range(3)
    ]
    for caller in callers:
        caller.start()
    assert started.wait(30)
    assert seen == [] and not tiny_source.folder.exists()
    go_on.set()
    for caller in callers:
        caller.join(30)
    assert seen == [True] * 3 and len(tiny_source.reads) == 1


def test_conversion_draws_no_bar(capfd):
    from transformers import modeling_gguf_pytorch_utils as gguf_reader

    shown = gguf_reader.tqdm
    with loading.quiet_gguf():
        assert list(gguf_reader.tqdm(range(3), desc="Converting")) == [0, 1, 2]
    assert capfd.readouterr().err == ""
    assert gguf_reader.tqdm is shown


def test_a_model_that_is_not_here_says_what_to_do_offline():
    with pytest.raises(ModelError, match=r"nobody/no-such-model.*local folder.*go online"):
        resolve("nobody/no-such-model")
    fits, reason = usable(section(id="nobody/no-such-model"))
    assert not fits and "nobody/no-such-model" in reason


def test_a_folder_without_a_model_and_a_broken_one_are_refused(tmp_path):
    with pytest.raises(ModelError, match=r"no config\.json"):
        load_model(section(id=str(tmp_path)), CPU)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_model(section(id=str(tmp_path)), CPU)


def test_a_local_folder_loads_frozen_with_a_padding_token(tmp_path):
    source = tiny_model(seed=3)
    source.tokenizer.pad_token = None
    source.model.save_pretrained(tmp_path)
    source.tokenizer.save_pretrained(tmp_path)
    loaded = load_model(section(id=str(tmp_path)), CPU)
    assert not loaded.model.training and not any(p.requires_grad for p in loaded.model.parameters())
    assert loaded.tokenizer.pad_token_id is not None
    ids = torch.tensor([[5, 6, 7]])
    assert torch.allclose(
        loaded.model(input_ids=ids).logits, source.model(input_ids=ids).logits, atol=1e-5
    )


def test_pickled_weights_are_refused(tmp_path):
    source = tiny_model()
    source.model.save_pretrained(tmp_path)
    source.tokenizer.save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(source.model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="safetensors"):
        load_model(section(id=str(tmp_path)), CPU)


HOSTILE = """
import pathlib
from transformers import PretrainedConfig, PreTrainedModel
pathlib.Path({marker!r}).touch()
class Config(PretrainedConfig):
    model_type = "hostile"
class Model(PreTrainedModel):
    config_class = Config
"""
LOAD = """
import sys, torch
from fledgling.core.errors import ModelError
from fledgling.core.runtime import Runtime
from fledgling.models.loading import load_model
from fledgling.settings import load_config
layer = {"models": {"id": sys.argv[1], "trust_remote_code": sys.argv[2] == "yes"}}
runtime = Runtime(torch.device("cpu"), torch.float32, 1, 0)
try:
    load_model(load_config(overrides=layer).models, runtime)
except ModelError as error:
    print("refused:", error)
"""


@pytest.mark.parametrize(("switch", "runs"), [("no", False), ("yes", True)])
def test_a_folders_own_code_never_runs_unless_the_switch_is_set(tmp_path, switch, runs):
    folder, marker = tmp_path / "model", tmp_path / "it_ran"
    tiny_model().tokenizer.save_pretrained(folder)
    (folder / "hostile.py").write_text(HOSTILE.format(marker=str(marker)))
    classes = {"AutoConfig": "hostile.Config", "AutoModelForCausalLM": "hostile.Model"}
    (folder / "config.json").write_text(json.dumps({"model_type": "hostile", "auto_map": classes}))
    outcome = subprocess.run(
        [sys.executable, "-c", LOAD, str(folder), switch],
        input="yes\n" * 20,  # whoever pipes `yes` into a program consents to nothing
        capture_output=True,
        text=True,
        env={**os.environ, "HF_MODULES_CACHE": str(tmp_path / "modules")},
    )
    assert outcome.stdout.startswith("refused:"), outcome.stderr
    assert marker.exists() == runs


def test_four_bits_without_bitsandbytes_name_the_install_command(tmp_path, monkeypatch):
    tiny_model().model.save_pretrained(tmp_path)
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "bitsandbytes" else found(name),
    )
    with pytest.raises(MissingExtra, match="pip install bitsandbytes"):
        load_model(section(id=str(tmp_path), quantization="nf4"), CPU)


def test_a_package_that_is_not_installed_names_the_command():
    with pytest.raises(ModelError, match=r"requirements-models\.txt"):
        package_file("no-such-package-anywhere", ".gguf")
    with pytest.raises(ModelError, match="reinstall"):
        package_file("torch", ".no-such-suffix")


@pytest.mark.model
def test_the_embedded_model_knows_the_capital_of_france():
    from fledgling.models.generation import reply

    assert "Paris" in reply(load_model(section(), CPU), "What is the capital of France?")


@pytest.mark.model
def test_the_packaged_embedder_gives_rows_of_length_one():
    from fledgling.models.loading import load_embedder

    rows = load_embedder().embed(
        ["Where does Lena live?", "Lena lives in Oslo.", "The stock market fell."]
    )
    assert rows.shape == (3, 384) and (rows * rows).sum(1) == pytest.approx([1.0] * 3, rel=1e-5)
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.2
    assert load_embedder().embed([]).shape == (0, 384)
