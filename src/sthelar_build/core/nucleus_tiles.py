"""The tiles of the um plane that hold nuclei: which they are, and in which order they are looked at."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_BLOCK_UM = 1000.0
"""At 0.25 um/px some 50 MB of H&E, which is decoded once."""


def tiles_with_nuclei(centroids_um: NDArray[np.float64], tile_um: float) -> pd.DataFrame:
    """Return the tiles that hold a centroid (n, 2), row by row: tile, x_um, y_um (centres), n_nuclei.

    Tiles are squares of side ``tile_um`` from the origin; numbers count only tiles with nuclei.
    """
    place = np.floor(centroids_um[:, ::-1] / tile_um).astype(np.int64)
    found, n_nuclei = np.unique(place.reshape(-1, 2), axis=0, return_counts=True)
    return pd.DataFrame(
        {
            "tile": np.arange(len(found), dtype=np.uint32),
            "x_um": (found[:, 1] + 0.5) * tile_um,
            "y_um": (found[:, 0] + 0.5) * tile_um,
            "n_nuclei": n_nuclei.astype(np.uint32),
        }
    )


def in_blocks(tiles: pd.DataFrame, block_um: float = _BLOCK_UM) -> pd.DataFrame:
    """Return the tiles block by block, blocks and the tiles of each row by row; their index tells where they were."""
    x_um, y_um = (tiles[name].to_numpy(np.float64) for name in ("x_um", "y_um"))
    order = np.lexsort((x_um, y_um, np.floor(x_um / block_um), np.floor(y_um / block_um)))
    return tiles.iloc[order]
