"""Something is tried; what a person can mend becomes a line, instead of the end of the command."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sthelar_build.core.checkup import Line
from sthelar_build.errors import SthelarError, in_words, machine_refusal

Value = TypeVar("Value")


def attempt(name: str, work: Callable[[], Value]) -> Value | Line:
    """Return what the work returns, or a problem of this name; mistakes of ours are raised."""
    try:
        return work()
    except SthelarError as error:
        return Line("problem", name, str(error).removeprefix(f"{name}: "))
    except Exception as error:
        refusal = machine_refusal(error)
        if refusal is None:
            raise
        return Line("problem", name, in_words(refusal))
