"""Layers of configuration: YAML files merged, checked once against a schema, and saved with every
run.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from fledgling.core.errors import ConfigError
from fledgling.core.files import read_yaml

SETTINGS_VARIABLE = "FLEDGLING_SETTINGS"

Schema = TypeVar("Schema", bound=BaseModel)
_NAMES_A_SECRET = re.compile(r"key|token|secret|password", re.IGNORECASE)


def read_layer(folder: Path, name: str) -> dict[str, Any]:
    """The layer ``folder/name.yaml``; where it says ``extends: other``, laid over that one of the
    same folder.

    Raises ``ConfigError`` listing the names there are, or the circle in which layers extend each
    other.
    """
    seen: list[str] = []
    layers: list[dict[str, Any]] = []
    while name:
        if name in seen:
            raise ConfigError(
                f"{folder.name} extend each other in a circle: {' → '.join([*seen, name])}"
            )
        seen.append(name)
        layer = read_yaml(_layer_path(folder, name))
        name = layer.pop("extends", "")
        layers.append(layer)
    merged: dict[str, Any] = {}
    for layer in reversed(layers):
        merged = merge(merged, layer)
    return merged


def _layer_path(folder: Path, name: str) -> Path:
    path = folder / f"{name}.yaml"
    names = sorted(file.stem for file in folder.glob("*.yaml"))
    if name not in names:
        raise ConfigError(
            f"{folder.name.removesuffix('s')} {name!r} is not known;{nearest(name, names)} "
            f"there are: {', '.join(names)}"
        )
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

    >>> parse_overrides(["tasks.lr=0.001"])
    {'tasks': {'lr': 0.001}}
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
    return key.strip(), parse_value(text)


def parse_value(text: str) -> Any:
    """What a value typed on a command line means: as in YAML, but 1e-3 is a number.

    >>> parse_value("1e-3"), parse_value("[1, 2]"), parse_value("kl")
    (0.001, [1, 2], 'kl')
    """
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    if isinstance(value, str):  # YAML 1.1 reads 1e-3 as a string
        with contextlib.suppress(ValueError):
            value = float(value)
    return value


def settings_from_environment() -> dict[str, Any]:
    """The configuration values that the runner gives to a notebook beside its parameters, by dotted
    key. Raises ``ConfigError`` where the variable holds something else.
    """
    try:
        settings = json.loads(os.environ.get(SETTINGS_VARIABLE) or "{}")
    except ValueError as error:
        raise ConfigError(f"{SETTINGS_VARIABLE} is not valid JSON: {error}") from error
    if not isinstance(settings, dict):
        raise ConfigError(f"{SETTINGS_VARIABLE} must hold keys and values, as a JSON object")
    return parse_overrides(settings)


def validate(schema: type[Schema], values: Mapping[str, Any]) -> Schema:
    """Check a merged mapping against a schema. Raises ``ConfigError`` for the first things wrong,
    in words.
    """
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise ConfigError(
            "; ".join(_explain(item, schema) for item in error.errors()[:3])
        ) from error


def override(section: Schema, values: Mapping[str, Any]) -> Schema:
    """The section with some values changed, by dotted key, checked like any layer."""
    return validate(type(section), merge(section.model_dump(), parse_overrides(values)))


def _explain(item: Any, schema: type[BaseModel]) -> str:
    place = [str(part) for part in item["loc"]]
    key = ".".join(place)
    if item["type"] == "extra_forbidden":
        known = known_keys(schema)
        # a key put into the configuration by mistake must not reach a log
        shown = "hidden" if _NAMES_A_SECRET.search(place[-1]) else _shortened(item["input"])
        return f"unknown key {key!r} (value {shown});{nearest(key, known)}"
    if item["type"] == "missing":
        return f"{key!r} is missing; configs/defaults/{place[0]}.yaml should give it"
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


def known_keys(section: type[BaseModel], prefix: str = "") -> list[str]:
    """Every dotted key of the configuration, in order."""
    keys: list[str] = []
    for name, info in section.model_fields.items():
        nested = info.annotation
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            keys += [f"{prefix}{name}", *known_keys(nested, f"{prefix}{name}.")]
        else:
            keys.append(f"{prefix}{name}")
    return keys


def to_yaml(config: BaseModel) -> str:
    """The resolved configuration as YAML, in the order of the sections."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
