"""The whole configuration: the packages' sections, assembled, and its layers read in order.

Only the command line, notebooks, benchmarks and tests import this; a package takes its own
sections. Layers, later ones win: ``configs/defaults/*.yaml`` < model < recipe < preset < what the
runner was given by dotted key (``-p facts.learning.lr 1e-3``) < overrides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fledgling.auto_learning.settings import AutoLearningSection
from fledgling.core.files import read_yaml
from fledgling.core.layers import (
    merge,
    parse_overrides,
    read_layer,
    settings_from_environment,
    validate,
)
from fledgling.core.paths import CONFIGS
from fledgling.core.settings import CoreSection, Section
from fledgling.facts.settings import FactsSection
from fledgling.feedback.settings import FeedbackSection
from fledgling.language.settings import LanguageSection
from fledgling.live.settings import LiveSection
from fledgling.memory.settings import MemorySection
from fledgling.models.settings import ModelsSection
from fledgling.reports.settings import ReportsSection
from fledgling.tasks.settings import TasksSection
from fledgling.teachers.settings import TeachersSection

DEFAULT_MODEL = "smollm2-135m"
DEFAULT_RECIPE = "default"
MERGED_RECIPE = "consolidated"


class Name(Section):
    """Which layers were combined."""

    preset: str
    recipe: str
    model: str


class Config(Section):
    """The whole configuration, resolved: one section a package, its values in
    configs/defaults/<package>.yaml.
    """

    name: Name
    core: CoreSection
    reports: ReportsSection
    models: ModelsSection
    language: LanguageSection
    facts: FactsSection
    tasks: TasksSection
    teachers: TeachersSection
    feedback: FeedbackSection
    memory: MemorySection
    auto_learning: AutoLearningSection
    live: LiveSection


def load_config(
    preset: str = "quick",
    *,
    recipe: str = DEFAULT_RECIPE,
    model: str = DEFAULT_MODEL,
    overrides: Mapping[str, Any] | Iterable[str] = (),
    configs: Path = CONFIGS,
) -> Config:
    """Merge the layers and validate them.

    ``overrides`` is a nested mapping, a mapping of dotted keys, or lines such as
    ``"facts.learning.lr=1e-3"``. Raises ``ConfigError`` naming the key, the value, what is allowed
    and the nearest valid key.
    """
    merged: dict[str, Any] = {
        path.stem: read_yaml(path) for path in (configs / "defaults").glob("*.yaml")
    }
    for folder, name in (("models", model), ("recipes", recipe), ("presets", preset)):
        merged = merge(merged, read_layer(configs / folder, name))
    merged = merge(merged, settings_from_environment())
    merged = merge(merged, parse_overrides(overrides))
    merged["name"] = {"preset": preset, "recipe": recipe, "model": model}
    return validate(Config, merged)
