import pytest
import yaml

from fledgling.core.errors import ConfigError
from fledgling.core.layers import known_keys, merge, nearest, parse_overrides, to_yaml, validate
from fledgling.core.paths import CONFIGS
from fledgling.settings import Config, load_config

RECIPES = sorted(path.stem for path in (CONFIGS / "recipes").glob("*.yaml"))
PRESETS = sorted(path.stem for path in (CONFIGS / "presets").glob("*.yaml"))
MODELS = sorted(path.stem for path in (CONFIGS / "models").glob("*.yaml"))


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("model", MODELS)
def test_recipe_preset_and_model_combine_freely(recipe, preset, model):
    config = load_config(preset, recipe=recipe, model=model)
    assert config.name.model_dump() == {"preset": preset, "recipe": recipe, "model": model}


def test_overrides_win_over_every_layer():
    assert load_config(overrides=["facts.adapter.rank=3"]).facts.adapter.rank == 3
    assert load_config(overrides={"facts": {"adapter": {"rank": 4}}}).facts.adapter.rank == 4
    assert load_config(overrides={"facts.adapter.rank": 5}).facts.adapter.rank == 5


def test_an_override_leaves_its_neighbours_alone():
    plain, changed = (
        load_config().facts.adapter,
        load_config(overrides=["facts.adapter.rank=3"]).facts.adapter,
    )
    assert changed.model_dump(exclude={"rank"}) == plain.model_dump(exclude={"rank"})


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("a.b=1e-3", 0.001),
        ("a.b=1.0e-3", 0.001),
        ("a.b=7", 7),
        ("a.b=yes please", "yes please"),
        ("a.b=[1, 2]", [1, 2]),
    ],
)
def test_override_text_is_read_as_its_value(line, value):
    assert parse_overrides([line]) == {"a": {"b": value}}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "facts.adapter.rnk=3",
            "unknown key 'facts.adapter.rnk' (value 3); did you mean 'facts.adapter.rank'?",
        ),
        ("fact.adapter.rank=3", "unknown key 'fact'"),
        (
            "facts.adapter.rank=many",
            "facts.adapter.rank = 'many' is not allowed: input should be a valid integer",
        ),
        (
            "facts.adapter.rank=0",
            "facts.adapter.rank = 0 is not allowed: input should be greater than or equal to 1",
        ),
        (
            "facts.adapter.rank=100000",
            "facts.adapter.rank = 100000 is not allowed: input should be less than or equal to 256",
        ),
        (
            "core.device=tpu",
            "core.device = 'tpu' is not allowed: input should be 'auto', 'cpu' or 'cuda'",
        ),
        (
            "facts.adapter.rank",
            "override 'facts.adapter.rank' is not of the form section.key=value",
        ),
    ],
)
def test_a_wrong_value_names_key_value_and_what_is_allowed(override, message):
    with pytest.raises(ConfigError) as caught:
        load_config(overrides=[override])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            {"preset": "quik"},
            "preset 'quik' is not known; did you mean 'quick'? there are: full, quick",
        ),
        ({"recipe": "protoype"}, "recipe 'protoype' is not known; did you mean 'prototype'?"),
        (
            {"model": "smolm2-135m"},
            "model 'smolm2-135m' is not known; did you mean 'smollm2-135m'?",
        ),
    ],
)
def test_an_unknown_layer_names_the_nearest(layer, message):
    with pytest.raises(ConfigError) as caught:
        load_config(**layer)
    assert message in str(caught.value)


def test_a_missing_value_points_at_the_defaults():
    with pytest.raises(
        ConfigError, match=r"'name' is missing; configs/defaults/name.yaml should give it"
    ):
        validate(Config, {})


def test_saved_configuration_reads_back_as_it_was():
    config = load_config("full", overrides=["facts.adapter.rank=3"])
    assert validate(Config, yaml.safe_load(to_yaml(config))) == config


def test_a_configuration_cannot_be_changed_once_read():
    with pytest.raises(ValueError, match="frozen"):
        load_config().facts.adapter.rank = 3


def test_merge_replaces_lists_and_merges_mappings():
    assert merge({"a": {"x": [1], "y": 2}}, {"a": {"x": [3]}}) == {"a": {"x": [3], "y": 2}}


def test_nearest_knows_a_key_by_its_last_part_and_says_nothing_far_off():
    assert nearest("rank", ["facts.adapter.rank"]) == " did you mean 'facts.adapter.rank'?"
    assert nearest("zzz", ["facts.adapter.rank"]) == ""


def test_every_section_stands_in_the_defaults():
    sections = {key for key in known_keys(Config) if "." not in key} - {"name"}
    assert sections == {path.stem for path in (CONFIGS / "defaults").glob("*.yaml")}
