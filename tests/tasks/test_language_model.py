"""The language model as backbone: pooled over tokens, trained through the same trainer, saved as
adapter and heads.
"""

from pathlib import Path

import pytest
import torch

from fledgling.core.errors import ConfigError, DataError, ModelError
from fledgling.models.tiny import tiny_model
from fledgling.settings import load_config
from fledgling.tasks.experiments import Headline, Sequel
from fledgling.tasks.model import ask
from fledgling.tasks.store import load_graph_model, load_into, save_model
from fledgling.tasks.study import Study, prepare_study

TINY = {
    "tasks.llm.adapter.first_layer": 0,
    "tasks.llm.adapter.rank": 2,
    "tasks.backbone": "llm",
    "tasks.llm.instead.data": {"train_per_skill": 3, "held_out_per_skill": 2},
    "tasks.llm.instead.updates_per_epoch": 2,
    "tasks.llm.instead.batch_size": 4,
}


@pytest.fixture(scope="module")
def study() -> Study:
    return prepare_study(load_config(overrides=TINY).tasks, seed=0, base=tiny_model())


@pytest.fixture(scope="module")
def trainer(study: Study):
    return study.trainer()


def test_the_configured_backbone_and_its_sizes_act(study: Study) -> None:
    assert study.model().backbone.describe()["kind"] == "llm"
    section = study.section
    assert (section.epochs, section.updates_per_epoch, section.batch_size) == (2, 2, 4)
    assert section.matrix_lr == 0.0 and len(study.tasks["math"].validation) == 2 * 10


def test_it_is_refused_without_a_language_model() -> None:
    with pytest.raises(ConfigError, match="needs a language model"):
        prepare_study(load_config(overrides=TINY).tasks, seed=0)


def test_models_share_the_frozen_weights_and_nothing_else(study: Study) -> None:
    plain = {name for name, _ in study.base.model.named_parameters()}
    one, two = study.model(), study.model()
    assert {name for name, _ in study.base.model.named_parameters()} == plain
    weights = dict(two.named_parameters())
    for name, part in one.named_parameters():
        assert (weights[name] is part) != part.requires_grad, name


def test_every_experiment_takes_it(study: Study) -> None:
    headline = Headline(study)
    list(headline.train())
    sequel = Sequel(headline, ("distillation", "ewc"))
    assert {record.run for record in sequel.train()} == {
        "sequential.distillation",
        "sequential.ewc",
    }
    assert set(headline.report()["together"]) == {"kindergarten", "math"}


def test_padding_changes_nothing(trainer) -> None:
    model = trainer.model.eval()
    short, long = (
        model.backbone.prepare(["cat"]),
        model.backbone.prepare(["cat", "a much longer text than that"]),
    )
    assert torch.allclose(model(short, "math")[0], model(long, "math")[0], atol=1e-5)


def test_the_same_trainer_trains_adapter_and_heads_only(trainer) -> None:
    names = set(trainer.model.trained())
    assert all("lora_" in name or name.startswith(("heads.", "backbone.norm")) for name in names)
    before = {name: one.detach().clone() for name, one in trainer.model.named_parameters()}
    records = list(trainer.train())
    assert records[-1].updates == 8
    changed = {
        name for name, one in trainer.model.named_parameters() if not torch.equal(before[name], one)
    }
    assert changed == names


def test_saved_and_loaded_into_a_fresh_one(study: Study, trainer, tmp_path: Path) -> None:
    save_model(trainer.model, tmp_path)
    fresh = study.model()
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
