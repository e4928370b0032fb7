"""What settings are made of: frozen models, and the kinds of numbers in them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

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


def problems(error: ValidationError, model: type[BaseModel] | None = None) -> str:
    """Return all problems of a pydantic error on one line: where, what is wrong, what was found.

    Of a key that ``model`` does not know the nearest one is named.
    """
    return "; ".join(
        f"{'.'.join(map(str, item['loc'])) or 'value'}: {_wrong(item, model)}"
        for item in error.errors()
    )


_KEYS_BELOW = re.compile(r"Input should be a valid dictionary.*")


def _wrong(item: Any, model: type[BaseModel] | None) -> str:
    if item["type"] == "extra_forbidden":
        near = _nearest(item["loc"], model) if model else None
        return "there is no such key; " + (f"did you mean {near}?" if near else "remove it")
    said = _KEYS_BELOW.sub("expected keys and values below it", item["msg"])
    said = re.sub(r"^Input should be ", "expected ", said.removeprefix("Value error, "))
    # What is wrong between several keys is said by the message: all of them would fill the screen.
    return (
        said if isinstance(item["input"], dict | BaseModel) else f"{said}, found {item['input']!r}"
    )


def _nearest(place: Sequence[int | str], model: type[BaseModel]) -> str | None:
    """Return the key of the model at this place that is spelt most alike; None if none is."""
    inner: Any = model
    for part in place[:-1]:
        inner = next(
            (f.annotation for n, f in inner.model_fields.items() if part in (n, f.alias)), None
        )
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return None
    known = [field.alias or name for name, field in inner.model_fields.items()]
    return next(iter(difflib.get_close_matches(str(place[-1]), known, n=1)), None)
