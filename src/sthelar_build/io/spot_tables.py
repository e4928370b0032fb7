"""Spots as an AnnData with the columns and pictures of HEST's ``st/{id}.h5ad``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from sthelar_build.core.spots import spot_quality
from sthelar_build.io.spots import Spots

IMAGE = "downscaled_fullres"
DIAMETER, SCALE = "spot_diameter_fullres", "tissue_downscaled_fullres_scalef"


def spot_anndata(
    spots: Spots,
    in_tissue: NDArray[np.bool_],
    thumbnail: NDArray[np.uint8],
    thumbnail_scale: float,
    facts: dict[str, Any],
) -> AnnData:
    """Return spots with their counts.

    Parameters
    ----------
    spots
        The spots of a slide.
    in_tissue
        Of every spot, whether its centre lies on tissue.
    thumbnail
        The whole H&E (y, x, 3).
    thumbnail_scale
        Its px per level-0 px.
    facts
        What else stands in ``uns["sthelar"]``: how the spots were made.

    Returns
    -------
    ``X`` CSR int32; ``obs`` by barcode; ``obsm["spatial"]`` centres (x, y) in level-0 H&E px; ``uns["spatial"]["ST"]``
    the thumbnail and the true diameter of a spot.
    """
    table = spots.table
    obs = pd.DataFrame(
        {
            "in_tissue": in_tissue,
            "pxl_col_in_fullres": table["x_he_px"],
            "pxl_row_in_fullres": table["y_he_px"],
            "array_col": table["array_col"],
            "array_row": table["array_row"],
            "x_um": table["x_um"],
            "y_um": table["y_um"],
            **{k: v.to_numpy() for k, v in spot_quality(spots.counts).items()},
        },
        index=table.index,
    )
    obs["n_counts"] = obs["total_counts"]
    var = pd.DataFrame(
        {"gene_id": spots.genes["id"].to_numpy()}, index=spots.genes["name"].to_list()
    )
    factors = {DIAMETER: spots.diameter_he_px, SCALE: thumbnail_scale}
    uns = {"spatial": {"ST": {"images": {IMAGE: thumbnail}, "scalefactors": factors}}}
    spatial = table[["x_he_px", "y_he_px"]].to_numpy(dtype=np.float64)
    return AnnData(spots.counts, obs, var, uns=uns | {"sthelar": facts}, obsm={"spatial": spatial})
