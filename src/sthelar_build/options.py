"""The kinds of argument that stages take on the command line, how they are read, and repeated ones side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import BaseModel, ValidationError

from sthelar_build.core.shards import Shard
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.settings.base import problems

Value = TypeVar("Value")


def _existing(path: Path | None) -> Path | None:
    if path is not None and not path.exists():
        raise InputError(f"{path}: expected an input file, found nothing; check the path")
    return path


def _all_existing(paths: list[Path] | None) -> list[Path] | None:
    for path in paths or ():
        _existing(path)
    return paths


InFile = Annotated[Path, typer.Option(callback=_existing, show_default=False)]
"""A file or folder that must exist."""
InFiles = Annotated[list[Path], typer.Option(callback=_all_existing, show_default=False)]
"""One or more files that must exist: the option is repeated."""
MaybeInFile = Annotated[Path | None, typer.Option(callback=_existing, show_default=False)]
"""A file that may be left out, but must exist if named."""
MaybeInFiles = Annotated[
    list[Path] | None, typer.Option(callback=_all_existing, show_default=False)
]
"""Any number of files, or none; each must exist."""
OutFile = Annotated[Path, typer.Option(show_default=False)]
"""A file or folder that the stage makes."""
MaybeOutFile = Annotated[Path | None, typer.Option(show_default=False)]
"""A file or folder that the stage makes if it is named."""
Word = Annotated[str, typer.Option(show_default=False)]
"""A name or a word."""
Words = Annotated[list[str], typer.Option(show_default=False)]
"""One or more words: the option is repeated."""
MaybeWords = Annotated[list[str] | None, typer.Option(show_default=False)]
"""Any number of words, or none."""
Threads = Annotated[int, typer.Option(min=1, help="Cores that may be used.")]
"""Number of cores."""


def shard_of(text: str) -> Shard:
    """Read the option ``--shard``, as 2/7; ConfigError for anything else."""
    try:
        return Shard.parse(text)
    except ValueError as error:
        raise ConfigError(f"--shard: {error}; give one of them") from error


def one_of(known: Mapping[str, Value], name: str) -> Value:
    """Return what ``--format`` names; ConfigError for anything else."""
    if name not in known:
        raise ConfigError(
            f"--format: expected one of {', '.join(known)}, found {name!r}; correct formats in the configuration"
        )
    return known[name]


def in_step(**lists: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return the values of repeated options side by side; InputError unless each is given as often as the first."""
    first, *others = (f"--{name.replace('_', '-')}" for name in lists)
    n, *found = map(len, lists.values())
    if set(found) - {n}:
        raise InputError(
            f"expected one each of {', '.join(others)} for each of the {n} {first}, "
            f"found {', '.join(map(str, found))}; give all as often"
        )
    return list(zip(*lists.values(), strict=True))


def as_json(model: type[BaseModel]) -> Any:
    """Return a Typer option that reads a settings model from JSON; an empty object takes the defaults."""

    def parse(text: str | BaseModel) -> BaseModel:
        if isinstance(text, BaseModel):
            return text
        try:
            return model.model_validate_json(text)
        except ValidationError as error:
            raise ConfigError(f"--settings: {problems(error)}") from error

    return typer.Option(
        parser=parse, metavar="JSON", help="Settings of this stage, as JSON.", show_default=False
    )
