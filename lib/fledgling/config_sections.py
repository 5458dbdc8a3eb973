"""The sections of the configuration, with types and ranges. Values and comments stand in configs/default.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
NonNegative = Annotated[float, Field(ge=0.0)]
Count = Annotated[int, Field(ge=1)]
CountOrZero = Annotated[int, Field(ge=0)]


class Section(BaseModel):
    """A part of the configuration: unknown keys are refused, values are fixed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, protected_namespaces=())


class Name(Section):
    """Which layers were combined."""

    preset: str
    recipe: str
    model: str


class RuntimeSection(Section):
    device: Literal["auto", "cpu", "cuda"]
    dtype: Literal["auto", "float32", "bfloat16"]
    threads: CountOrZero


class ModelSection(Section):
    id: str
    description: str
    quantization: Literal["none", "nf4"]
    max_length: Annotated[int, Field(ge=32, le=131072)]


class AdapterSection(Section):
    rank: Annotated[int, Field(ge=1, le=256)]
    alpha: Positive
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)]
    targets: list[str] = Field(min_length=1)
    first_layer: CountOrZero
    last_layer: Annotated[int, Field(ge=-1)]


class GenerationSection(Section):
    max_new_tokens: Annotated[int, Field(ge=1, le=4096)]


class Config(Section):
    """The whole configuration, resolved."""

    name: Name
    runtime: RuntimeSection
    model: ModelSection
    adapter: AdapterSection
    generation: GenerationSection
