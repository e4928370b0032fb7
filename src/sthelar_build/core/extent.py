"""Whether coordinates are micrometres inside an image: pixels run out of it, millimetres crowd in its corner."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_MARGIN = 0.05
"""Share of a side by which an outline or a molecule may stick out."""
_MOST_OUTSIDE = 0.05
_CORNER = 0.002
"""Share of both sides within which millimetres lie, with a factor of two to spare."""


class Extent:
    """Watches where points lie, some at a time."""

    def __init__(self, width_um: float, height_um: float) -> None:
        """Take the size of the image whose corner is the origin."""
        self._size_um = np.array([width_um, height_um])
        self._n = self._n_outside = 0
        self._low_um, self._high_um = np.full(2, np.inf), np.full(2, -np.inf)

    def add(self, x_um: NDArray[Any], y_um: NDArray[Any]) -> None:
        """Watch points; all must be finite."""
        outside = np.zeros(len(x_um), dtype=bool)
        for axis, values in enumerate((x_um, y_um)):
            margin_um = _MARGIN * self._size_um[axis]
            outside |= (values < -margin_um) | (values > self._size_um[axis] + margin_um)
            self._low_um[axis] = values.min(initial=self._low_um[axis])
            self._high_um[axis] = values.max(initial=self._high_um[axis])
        self._n += len(x_um)
        self._n_outside += int(outside.sum())

    def flaw(self) -> str | None:
        """Return what is wrong, in words; None if nothing is, or there were no points.

        Up to 5 % of the points may lie further out than 5 % of a side. Coordinates in mm are told by all of them lying
        within 1/500 of both sides, seen from the origin.
        """
        if not self._n:
            return None
        size = f"{self._size_um[0]:.6g} x {self._size_um[1]:.6g} um"
        if self._n_outside > _MOST_OUTSIDE * self._n:
            return (
                f"expected coordinates in um inside the image of {size}, found {self._n_outside} of {self._n} outside "
                f"(x {self._span(0)}, y {self._span(1)}): in pixels, or of another region"
            )
        if (np.abs([self._low_um, self._high_um]) < _CORNER * self._size_um).all():
            return (
                f"expected coordinates in um over the image of {size}, found all in its corner "
                f"(x {self._span(0)}, y {self._span(1)}): in millimetres"
            )
        return None

    def _span(self, axis: int) -> str:
        return f"{self._low_um[axis]:.6g} to {self._high_um[axis]:.6g}"
