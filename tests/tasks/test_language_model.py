"""The language model as backbone: pooled over tokens, trained through the same trainer, saved as
adapter and heads.
"""

from pathlib import Path

import pytest
import torch

from fledgling.core.errors import DataError, ModelError
from fledgling.models.tiny import tiny_model
from fledgling.settings import load_config
from fledgling.tasks.answers import ask
from fledgling.tasks.experiments import prepare_llm
from fledgling.tasks.store import load_graph_model, load_into, save_model, trained_tensors

TINY = {
    "tasks.llm.adapter.first_layer": 0,
    "tasks.llm.adapter.rank": 2,
    "tasks.llm.train_per_skill": 3,
    "tasks.llm.held_out_per_skill": 2,
    "tasks.llm.epochs": 2,
    "tasks.llm.updates_per_epoch": 2,
    "tasks.llm.batch_size": 4,
}


@pytest.fixture(scope="module")
def trainer():
    return prepare_llm(load_config(overrides=TINY).tasks, tiny_model(), seed=0)[0]


def test_padding_changes_nothing(trainer) -> None:
    model = trainer.model.eval()
    short, long = (
        model.backbone.prepare(["cat"]),
        model.backbone.prepare(["cat", "a much longer text than that"]),
    )
    assert torch.allclose(model(short, "math")[0], model(long, "math")[0], atol=1e-5)


def test_the_same_trainer_trains_adapter_and_heads_only(trainer) -> None:
    names = set(trained_tensors(trainer.model))
    assert all("lora_" in name or name.startswith(("heads.", "backbone.norm")) for name in names)
    before = {name: one.detach().clone() for name, one in trainer.model.named_parameters()}
    records = list(trainer.train())
    assert records[-1].values["updates"] == 8
    changed = {
        name for name, one in trainer.model.named_parameters() if not torch.equal(before[name], one)
    }
    assert changed == names


def test_saved_and_loaded_into_a_fresh_one(trainer, tmp_path: Path) -> None:
    save_model(trainer.model, tmp_path)
    fresh = prepare_llm(load_config(overrides=TINY).tasks, tiny_model(), seed=0)[0].model
    load_into(fresh, tmp_path)
    inputs = fresh.backbone.prepare(["first letter of cat"])
    assert torch.equal(fresh.eval()(inputs, "math"), trainer.model.eval()(inputs, "math"))
    with pytest.raises(ModelError, match="'llm' backbone"):
        load_graph_model(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"), [("", "is empty"), (" \n", "is empty"), ("a" * 10_000, "10000 characters")]
)
def test_bad_input_is_explained(trainer, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        ask(trainer.model, text, "math")


def test_any_characters_get_an_answer(trainer) -> None:
    assert ask(trainer.model, "漢字 ☃", "math")[0].answer in "0123456789"
