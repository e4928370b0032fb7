"""What every reader of an exported dataset offers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.io.patch_classes import BACKGROUND


class PatchMaps(NamedTuple):
    """One patch and what is true of it."""

    image: NDArray[np.uint8]
    """(h, w, 3)."""
    instances: NDArray[np.int32]
    """(h, w): 0 background, else the instance."""
    types: NDArray[np.uint8]
    """(h, w): class index of the pixel, 0 background."""


class PatchReader(Protocol):
    """A dataset in one format, open for any number of processes: copies that are pickled open the files themselves."""

    patches: pd.DataFrame
    """One row per patch, by slide and then by number: ``name`` (``{slide}_{patch_id}``), ``slide``, ``patch_id``,
    ``tissue``, ``split`` (None: in none), ``place`` (what ``read`` takes)."""
    class_names: list[str]
    """By class index, Background first."""

    def read(self, place: int) -> PatchMaps:
        """Return a patch; InputError if it is broken."""


def patch_rows(
    names: Sequence[str], tissues: Sequence[str], splits: Iterable[str | None]
) -> pd.DataFrame:
    """Return the table of a reader from what is known of every patch, in the order in which it is stored."""
    parts = pd.Series(names, dtype=object).str.rpartition("_")
    table = pd.DataFrame(
        {
            "name": names,
            "slide": parts[0].astype(object) if len(names) else [],
            "patch_id": parts[2].astype(np.int64) if len(names) else [],
            "tissue": tissues,
            "split": pd.Series(list(splits), dtype=object),
            "place": np.arange(len(names)),
        }
    )
    return table.sort_values(["slide", "patch_id"], kind="stable", ignore_index=True)


def classes_in_order(numbers: Mapping[str, int]) -> list[str]:
    """Return the names of the classes by their number, Background (0) first, whether it is among them or not."""
    named = sorted((name for name in numbers if name != BACKGROUND), key=lambda name: numbers[name])
    return [BACKGROUND, *named]
