"""Configuration: YAML layers merged, checked once, and saved with every run.

Layers, later ones win: ``configs/default.yaml`` < model < recipe < preset < overrides.
"""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from fledgling.core.errors import ConfigError
from fledgling.core.files import read_yaml
from fledgling.core.paths import CONFIGS
from fledgling.settings import Config

DEFAULT_MODEL = "smollm2-135m"
DEFAULT_RECIPE = "default"


def load_config(
    preset: str = "quick",
    *,
    recipe: str = DEFAULT_RECIPE,
    model: str = DEFAULT_MODEL,
    overrides: Mapping[str, Any] | Iterable[str] = (),
    configs: Path = CONFIGS,
) -> Config:
    """Merge the layers and validate them.

    ``overrides`` is a nested mapping, a mapping of dotted keys, or lines such as ``"learning.lr=1e-3"``.
    Raises ``ConfigError`` naming the key, the value, what is allowed and the nearest valid key.
    """
    merged = read_yaml(configs / "default.yaml")
    layers = [read_yaml(layer_path(configs, folder, name)) for folder, name in
              (("models", model), ("recipes", recipe), ("presets", preset))]
    for layer in (*layers, parse_overrides(overrides)):
        merged = merge(merged, layer)
    merged = merge(merged, {"name": {"preset": preset, "recipe": recipe, "model": model}})
    return validate(merged)


def layer_path(configs: Path, folder: str, name: str) -> Path:
    """The file of a named layer. Raises ``ConfigError`` listing the names there are."""
    path = configs / folder / f"{name}.yaml"
    if not path.is_file():
        names = sorted(file.stem for file in (configs / folder).glob("*.yaml"))
        raise ConfigError(f"{folder.removesuffix('s')} {name!r} is not known;{nearest(name, names)} "
                          f"there are: {', '.join(names)}")
    return path


def merge(base: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    """``layer`` over ``base``, mappings merged key by key, everything else replaced."""
    merged = dict(base)
    for key, value in layer.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def parse_overrides(overrides: Mapping[str, Any] | Iterable[str]) -> dict[str, Any]:
    """Dotted keys to a nested mapping.

    >>> parse_overrides(["learning.lr=0.001"])
    {'learning': {'lr': 0.001}}
    """
    is_mapping = isinstance(overrides, Mapping)
    pairs = list(overrides.items()) if is_mapping else [_split_override(line) for line in overrides]
    nested: dict[str, Any] = {}
    for key, value in pairs:
        layer: Any = value
        for part in reversed(str(key).split(".")):
            layer = {part: layer}
        nested = merge(nested, layer)
    return nested


def _split_override(line: str) -> tuple[str, Any]:
    key, separator, text = line.partition("=")
    if not separator or not key.strip():
        raise ConfigError(f"override {line!r} is not of the form section.key=value")
    value = yaml.safe_load(text)
    if isinstance(value, str):  # YAML 1.1 reads 1e-3 as a string
        with contextlib.suppress(ValueError):
            value = float(value)
    return key.strip(), value


def validate(values: Mapping[str, Any]) -> Config:
    """Check a merged mapping. Raises ``ConfigError`` for the first thing wrong, in words."""
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise ConfigError("; ".join(_explain(item) for item in error.errors()[:3])) from error


def _explain(item: Any) -> str:
    place = [str(part) for part in item["loc"]]
    key = ".".join(place)
    if item["type"] == "extra_forbidden":
        known = known_keys()
        return f"unknown key {key!r} (value {_shortened(item['input'])});{nearest(key, known)}"
    if item["type"] == "missing":
        return f"{key!r} is missing; configs/default.yaml should give it"
    return f"{key} = {item['input']!r} is not allowed: {item['msg'][0].lower()}{item['msg'][1:]}"


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def nearest(name: str, names: Iterable[str]) -> str:
    """`` did you mean 'x'?`` for the closest of ``names``, else nothing."""
    names = list(names)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if not close:
        tail = name.rsplit(".", 1)[-1]
        close = [key for key in names if key.rsplit(".", 1)[-1] == tail][:1]
    return f" did you mean {close[0]!r}?" if close else ""


def known_keys(section: type[BaseModel] = Config, prefix: str = "") -> list[str]:
    """Every dotted key of the configuration, in order."""
    keys: list[str] = []
    for name, info in section.model_fields.items():
        nested = info.annotation
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            keys += [f"{prefix}{name}", *known_keys(nested, f"{prefix}{name}.")]
        else:
            keys.append(f"{prefix}{name}")
    return keys


def to_yaml(config: Config) -> str:
    """The resolved configuration as YAML, in the order of the sections."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
