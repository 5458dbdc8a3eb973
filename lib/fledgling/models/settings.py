"""The ``models`` section, and the shape of an adapter, which every package that trains one sets for
itself.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fledgling.core.settings import CountOrZero, Positive, Section


class ModelsSection(Section):
    """Which model, in which form, and how much it may read and say."""

    id: str
    description: str
    quantization: Literal["none", "nf4"]
    trust_remote_code: bool
    max_length: Annotated[int, Field(ge=32, le=131072)]
    max_new_tokens: Annotated[int, Field(ge=1, le=4096)]


class LoraSection(Section):
    """A LoRA adapter: its rank, its scale, and the projections and layers that carry it."""

    rank: Annotated[int, Field(ge=1, le=256)]
    alpha: Positive
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)]
    targets: list[str] = Field(min_length=1)
    first_layer: CountOrZero
    last_layer: Annotated[int, Field(ge=-1)]


class AdapterSection(LoraSection):
    """An adapter that learns a fact at a time, and from where it starts to."""

    start: Literal["random", "aligned", "learned", "reader"]
    start_scale: Positive
    start_damping: Positive
