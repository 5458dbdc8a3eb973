import numpy as np
import pytest
import torch
from peft import PeftModel

from fledgling.core.errors import ModelError
from fledgling.models import export as exporting
from fledgling.models.adapters import Adapter
from fledgling.models.export import compared, export, load_gguf
from fledgling.models.gguf_files import interleaved, tensor_types, write_gguf
from fledgling.models.peft_folders import write_peft
from fledgling.models.tiny import tiny_model
from fledgling.settings import load_config

TEXTS = ["What is the capital of Australia?", "Tell me about tea."]


@pytest.fixture
def adapter(tmp_path):
    """A PEFT folder whose adapter changes a tiny model's mind."""
    section = load_config().feedback.training.lora
    changed = Adapter(tiny_model(hidden=64), section)
    for name, parameter in changed.parameters.items():
        if "lora_B" in name:
            parameter.data.normal_(std=0.3, generator=torch.Generator().manual_seed(len(name)))
    write_peft(changed, tmp_path / "adapter")
    return tmp_path / "adapter"


@pytest.fixture
def models(monkeypatch):
    """The models section, and a tiny model wherever one is loaded."""
    monkeypatch.setattr(exporting, "load_model", lambda *_: tiny_model(hidden=64))
    return load_config().models


def test_every_hop_says_the_same_and_the_folder_is_whole(models, adapter, tmp_path):
    hops = list(export(models, adapter, tmp_path / "out", ["f16", "q8_0", "q4_0"], TEXTS))
    assert [hop.name for hop in hops] == ["adapter", "merged", "f16", "q8_0", "q4_0"]
    by_name = {hop.name: hop for hop in hops}
    assert all(hop.same_ids == 1.0 for hop in hops)
    assert by_name["merged"].top1 == 1.0 and by_name["merged"].kl < 1e-6
    assert by_name["f16"].top1 == 1.0 and by_name["f16"].kl < 1e-6
    assert by_name["f16"].kl <= by_name["q8_0"].kl < by_name["q4_0"].kl
    assert by_name["q4_0"].bytes < by_name["q8_0"].bytes < by_name["f16"].bytes
    assert by_name["q4_0"].types == {"F32": 5, "Q4_0": 14, "Q8_0": 1}
    base = tiny_model(hidden=64)
    loaded = PeftModel.from_pretrained(base.model, str(tmp_path / "out" / "adapter"))
    assert loaded.peft_config["default"].r == 8


def test_the_adapter_changes_what_is_exported(models, adapter, tmp_path):
    list(export(models, adapter, tmp_path / "out", ["f16"], TEXTS))
    exported, plain = load_gguf(tmp_path / "out" / "model.f16.gguf"), tiny_model(hidden=64)
    ids = exporting.token_ids(plain, TEXTS)
    logs = [exporting.top_and_logs(model, ids) for model in (exported, plain)]
    assert compared(*logs)[1] > 0.01


def test_a_file_cut_short_is_refused_wherever_it_is_cut(tmp_path):
    write_gguf(tiny_model(), tmp_path / "whole.gguf", "f16")
    whole = (tmp_path / "whole.gguf").read_bytes()
    for share in (0.0, 0.01, 0.3, 0.7, 0.99):
        (tmp_path / "short.gguf").write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(ModelError, match="export it again"):
            load_gguf(tmp_path / "short.gguf")


def test_an_adapter_of_another_model_is_refused_and_nothing_is_written(
    adapter, tmp_path, monkeypatch
):
    monkeypatch.setattr(exporting, "load_model", lambda *_: tiny_model(hidden=32))
    with pytest.raises(ModelError, match="adapter of another model"):
        list(export(load_config().models, adapter, tmp_path / "out", ["f16"], TEXTS))
    assert [path.name for path in tmp_path.iterdir()] == ["adapter"]


def test_a_full_disk_leaves_nothing(models, adapter, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "write_gguf", full)
    with pytest.raises(ModelError.__mro__[1], match="No space left"):
        list(export(models, adapter, tmp_path / "out", ["f16"], TEXTS))
    assert [path.name for path in tmp_path.iterdir()] == ["adapter"]


def test_unknown_forms_and_taken_folders_are_refused(models, adapter, tmp_path):
    with pytest.raises(ModelError, match="there are f16, q8_0, q4_0"):
        list(export(models, adapter, tmp_path / "out", ["q4_k"], TEXTS))
    with pytest.raises(ModelError, match="exists already"):
        list(export(models, adapter, adapter, ["f16"], TEXTS))


def test_rotary_halves_are_interleaved_head_by_head():
    rows = torch.arange(8.0)[:, None]  # two heads of four: halves 0 1 | 2 3 and 4 5 | 6 7
    assert np.array_equal(interleaved(rows, 2)[:, 0], [0, 2, 1, 3, 4, 6, 5, 7])


def test_the_types_named_are_those_in_the_file(tmp_path):
    write_gguf(tiny_model(), tmp_path / "a.gguf", "q8_0")
    assert tensor_types(tmp_path / "a.gguf") == {"F32": 5, "Q8_0": 15}
