"""What the values of an expression matrix are: counts, normalised, logarithms, or of no use.

Read off the values themselves. Normalised cells have equal sums; logarithms do so once they are taken back with
the right base.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from sthelar_build.core.normalise import row_sums

Kind: TypeAlias = Literal["raw", "normalised", "logged", "scaled", "empty", "broken"]
_BASES = {math.e: "log(1 + x)", 2.0: "log2(1 + x)", 10.0: "log10(1 + x)"}
_LARGEST_LOG = 30.0
_EQUAL_SPREAD = 0.05
"""Sums that differ by less (90th less 10th percentile over the median) are those of normalised cells; genes that were
filtered out afterwards take a few per cent."""
_FEWEST_ROWS = 3
_ROUNDING = 1e-3
"""How far a count may be off once its logarithm is undone, relative to itself."""
_TELLING = 100


@dataclass(frozen=True)
class Scale:
    """The scale of a matrix."""

    kind: Kind
    """scaled: negative values; broken: infinite ones or NaN; empty: only zeros."""
    in_words: str
    """What it is, for people."""
    base: float = math.e
    """Of the logarithm, if logged."""
    is_guessed: bool = False
    """Whether the size of the values is all that tells it."""

    @property
    def is_usable(self) -> bool:
        """Whether :meth:`linear` makes expression of it."""
        return self.kind in ("raw", "normalised", "logged")

    def linear(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return values on the linear scale; they are overwritten."""
        if self.kind == "logged":
            values *= np.float32(math.log(self.base))
            np.expm1(values, out=values)
        return values


def scale_of(cells: sp.csr_matrix) -> Scale:
    """Return the scale of some whole rows (cells, all genes) of a matrix.

    Equal sums need at least three rows. Where they are not equal on any scale (as in a matrix of some genes only),
    values below 30 throughout are taken for natural logarithms, others for linear ones.
    """
    values = cells.data
    unusable = _unusable(values)
    if unusable:
        return unusable
    if _are_whole(values):
        return Scale("raw", "counts")
    logged = _logged_counts(values) or _of_equal_sums(cells)
    if logged:
        return logged
    if values.max() < _LARGEST_LOG:
        words = f"logarithms, by their size (none above {values.max():.3g})"
        return Scale("logged", words, is_guessed=True)
    return Scale("normalised", "not whole, of unequal sums: linear, by their size", is_guessed=True)


def _unusable(values: NDArray[np.floating]) -> Scale | None:
    if not np.isfinite(values).all():
        return Scale("broken", "infinite values or NaN")
    if not values.any():
        return Scale("empty", "only zeros")
    if values.min() < 0:
        return Scale("scaled", "negative values (scaled or centred)")
    return None


def _are_whole(values: NDArray[np.floating]) -> bool:
    return bool(np.array_equal(values, np.round(values)))


def _logged_counts(values: NDArray[np.floating]) -> Scale | None:
    """Say whether whole numbers come out once a logarithm is undone."""
    if values.max() >= _LARGEST_LOG:
        return None
    values = values[values > 0]
    for base, name in _BASES.items():
        linear = np.expm1(values.astype(np.float64) * math.log(base))
        whole = np.round(linear)
        # Large values are whole within a part of themselves whatever they are: small ones have to tell.
        tells = (whole < _TELLING).mean() > 0.5 and (whole > 0).all()
        if tells and np.all(np.abs(linear - whole) <= _ROUNDING * whole):
            return Scale("logged", f"{name} of counts", base)
    return None


def _of_equal_sums(cells: sp.csr_matrix) -> Scale | None:
    spreads = {0.0: _spread(row_sums(cells))}
    if cells.data.max() < _LARGEST_LOG:
        for base in _BASES:
            linear = sp.csr_matrix(cells, dtype=np.float64, copy=True)
            linear.data = np.expm1(linear.data * math.log(base))
            spreads[base] = _spread(row_sums(linear))
    best = min(spreads, key=lambda base: spreads[base][0])
    spread, total = spreads[best]
    if spread > _EQUAL_SPREAD:
        return None
    words = (
        f"values normalised to {total:,.0f} per cell" if total > 10 else f"shares (sum {total:.3g})"
    )
    return (
        Scale("logged", f"{_BASES[best]} of {words}", best) if best else Scale("normalised", words)
    )


def _spread(sums: NDArray[np.float64]) -> tuple[float, float]:
    """Return how far the sums of the cells with any lie apart, relative to their median, and that median."""
    sums = sums[sums > 0]
    if len(sums) < _FEWEST_ROWS:
        return math.inf, 0.0
    low, median, high = np.percentile(sums, (10, 50, 90))
    return float((high - low) / median), float(median)
