"""Edge energies of a whole H&E, read once, band by band, from the coarsest level that still shows its detail."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.focus import edge_energies, margin_px
from sthelar_build.io.images.he import HeImage
from sthelar_build.io.progress import progress

_UM_PER_PX = 0.6
"""As coarse as the finer Gaussian of ``core.focus`` allows: a sixteenth to a quarter of the pixels of a scan."""
_BAND_PX = 512


def tissue_edges(
    image: HeImage, he_um_per_px: float, tissue: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Sum the edge energies of the tissue over the pixels of a small mask.

    Parameters
    ----------
    image
        The H&E.
    he_um_per_px
        Size of its level-0 pixels.
    tissue
        (rows, columns): a pixel covers width_px / columns by height_px / rows pixels of level 0.

    Returns
    -------
    Array (2, rows, columns): fine and coarse energies of ``core.focus``, per mask pixel; 0 off the tissue.
    """
    of_mask = min(image.width_px / tissue.shape[1], image.height_px / tissue.shape[0])
    number = image.level_of_downsample(min(_UM_PER_PX / he_um_per_px, of_mask))
    level = image.levels[number]
    um_per_px = he_um_per_px * level.downsample
    tops, lefts = (
        np.round(np.arange(n + 1) * size / n).astype(np.int64)
        for n, size in zip(tissue.shape, (level.height_px, level.width_px), strict=True)
    )
    per_band = max(1, round(_BAND_PX * tissue.shape[0] / level.height_px))
    sums = np.zeros((2, *tissue.shape))
    starts = range(0, tissue.shape[0], per_band)
    for start in progress(starts, "bands of the H&E measured for blur", len(starts)):
        rows = slice(start, min(start + per_band, tissue.shape[0]))
        found = np.flatnonzero(tissue[rows].any(axis=0))
        if len(found):
            columns = slice(int(found[0]), int(found[-1]) + 1)
            y, x = tops[rows.start : rows.stop + 1], lefts[columns.start : columns.stop + 1]
            sums[:, rows, columns] = _sums(image, number, um_per_px, y, x)
    return np.asarray(sums * tissue)


def _sums(
    image: HeImage, level: int, um_per_px: float, y: NDArray[np.int64], x: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the energies between the edges ``y`` and ``x``, pixels of the level: (2, len(y) - 1, len(x) - 1)."""
    size = image.levels[level]
    margin = margin_px(um_per_px)
    left, top = max(0, int(x[0]) - margin), max(0, int(y[0]) - margin)
    right, bottom = (
        min(size.width_px, int(x[-1]) + margin),
        min(size.height_px, int(y[-1]) + margin),
    )
    pixels = image.read(left, top, right - left, bottom - top, level)
    energies = edge_energies(pixels, um_per_px)[
        :, y[0] - top : y[-1] - top, x[0] - left : x[-1] - left
    ]
    per_row = np.add.reduceat(energies, y[:-1] - y[0], axis=1)
    return np.asarray(np.add.reduceat(per_row, x[:-1] - x[0], axis=2, dtype=np.float64))
