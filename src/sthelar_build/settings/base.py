"""What settings are made of: frozen models, and the kinds of numbers in them."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def _in_order(interval: tuple[float, float]) -> tuple[float, float]:
    if interval[0] > interval[1]:
        raise ValueError("expected the smaller end of the interval first")
    return interval


Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Interval = Annotated[tuple[Share, Share], AfterValidator(_in_order)] | None
Weight = Annotated[float, Field(ge=0)]
Memory = Annotated[float, Field(ge=0, lt=1)]
SCALE = "{scale}"
"""Stands for the name of a scale in a path."""
Part = TypeVar("Part", bound="DataclassInstance")


class Settings(BaseModel):
    """Frozen, and refuses keys that it does not know."""

    # Defaults as validated values: 1 of a float is 1.0, as if it had been given, and artefacts say the same of both.
    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True
    )

    def part(self, kind: type[Part]) -> Part:
        """Return the settings that a dataclass has fields for, as that dataclass."""
        return kind(**self.model_dump(include={field.name for field in fields(kind)}))


def problems(error: ValidationError) -> str:
    """Return all problems of a pydantic error on one line: where, what is wrong, what was found."""
    return "; ".join(
        f"{'.'.join(map(str, item['loc'])) or 'value'}: {item['msg']}, found {item['input']!r}"
        for item in error.errors()
    )
