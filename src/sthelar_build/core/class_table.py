"""Two opinions on the class of every cell, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sthelar_build.schema.labels import CLASS_NAMES


@dataclass(frozen=True)
class ClassRow:
    """What the second opinion says of the cells that the first puts in one class."""

    name: str
    n_cells: int
    counts: tuple[int, ...]
    """Cells by class of the second opinion, in the order of the columns."""
    shares: tuple[float, ...]
    """The same over ``n_cells``."""


@dataclass(frozen=True)
class ClassTable:
    """How often cells of one class are in each class of another opinion."""

    columns: tuple[str, ...]
    """Classes that either opinion names, in schema order."""
    rows: tuple[ClassRow, ...]
    """Classes that the first opinion names, in schema order."""
    n_cells: int
    """Cells on which both have an opinion."""
    agreement: float | None
    """Share of them on which they agree; None without any."""


def class_table(first: NDArray[Any], second: NDArray[Any]) -> ClassTable:
    """Compare two opinions, given as numbers of classes of ``CLASS_NAMES``; a negative number is none."""
    both = (first >= 0) & (second >= 0)
    n = len(CLASS_NAMES)
    keys = first[both].astype(np.int64) * n + second[both]
    counts = np.bincount(keys, minlength=n * n).reshape(n, n)
    totals = counts.sum(axis=1)
    shown = np.flatnonzero(totals + counts.sum(axis=0))
    agreeing = int(np.trace(counts))
    return ClassTable(
        columns=tuple(CLASS_NAMES[k] for k in shown),
        rows=tuple(
            _row(CLASS_NAMES[k], counts[k, shown], int(totals[k])) for k in shown if totals[k]
        ),
        n_cells=int(both.sum()),
        agreement=agreeing / int(both.sum()) if both.any() else None,
    )


def _row(name: str, counts: NDArray[np.int64], total: int) -> ClassRow:
    return ClassRow(name, total, tuple(counts.tolist()), tuple((counts / total).tolist()))
