"""What every section of the configuration shares: strict keys, fixed values, named ranges; and the
machine's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from fledgling.core.errors import ConfigError

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
NonNegative = Annotated[float, Field(ge=0.0)]
Count = Annotated[int, Field(ge=1)]
CountOrZero = Annotated[int, Field(ge=0)]


class Section(BaseModel):
    """A part of the configuration: unknown keys are refused, values are fixed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, protected_namespaces=())

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As pydantic's, which keeps any name: one that the section does not have is refused."""
        unknown = (update or {}).keys() - type(self).model_fields.keys()
        if unknown:
            raise ConfigError(f"{type(self).__name__} has no key {', '.join(sorted(unknown))}")
        return super().model_copy(update=update, deep=deep)


class CoreSection(Section):
    """The machine: device, width of numbers, CPU threads."""

    device: Literal["auto", "cpu", "cuda"]
    dtype: Literal["auto", "float32", "bfloat16"]
    threads: CountOrZero
