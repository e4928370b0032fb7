"""Patches to show of a slide: of each of its classes, the patch that shows most of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def sample_patches(
    counts: NDArray[Any], x_px: NDArray[Any], y_px: NDArray[Any], side_px: int, n: int
) -> list[tuple[int, int]]:
    """Choose patches of one slide that show its classes.

    Parameters
    ----------
    counts
        (n_patches, n_classes) nuclei.
    x_px, y_px
        Left and top edge of every patch.
    side_px
        Side of a patch.
    n
        How many.

    Returns
    -------
    At most ``n`` pairs of patch and class, positions in ``counts``: class by class from the rarest on (and round again), the patch
    where it has the most nuclei, the first of equals; no two patches overlap. Fewer where there are no more.
    """
    total = counts.sum(axis=0)
    classes = [int(c) for c in np.argsort(total, kind="stable") if total[c] > 0]
    free = np.ones(len(counts), dtype=bool)
    chosen: list[tuple[int, int]] = []
    for c in classes * n:
        shown = np.where(free, counts[:, c], 0)
        if len(chosen) < n and shown.any():
            patch = int(shown.argmax())
            chosen.append((patch, c))
            apart = np.maximum(np.abs(x_px - x_px[patch]), np.abs(y_px - y_px[patch])) >= side_px
            free &= apart
    return chosen


def evenly(n: int, most: int) -> list[int]:
    """Return at most ``most`` of the numbers 0 to n - 1, evenly spread, first and last among them.

    >>> evenly(10, 4)
    [0, 3, 6, 9]
    """
    return [int(i) for i in np.unique(np.linspace(0, n - 1, min(n, most)).round())] if n else []
