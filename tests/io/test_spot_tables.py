"""Spots as AnnData: counts stay whole numbers, sizes are the true ones."""

import anndata
import numpy as np
import pandas as pd
import scipy.sparse as sp

from sthelar_build.io.spot_tables import spot_anndata
from sthelar_build.io.spots import Spots


def test_a_spot_keeps_counts_place_and_size_through_h5ad(tmp_path):
    table = pd.DataFrame(
        {
            "array_row": [0, 1], "array_col": [3, 4], "x_um": [50.0, 150.0], "y_um": [50.0, 50.0],
            "x_he_px": [10.5, 20.5], "y_he_px": [7.0, 8.0],
        },
        index=["000x003", "001x004"],
    )  # fmt: skip
    genes = pd.DataFrame({"name": ["CD3E", "VWF"], "id": ["E0", "E1"]})
    counts = sp.csr_matrix(np.array([[2, 0], [0, 70000]], dtype=np.int32))
    spots = Spots(table, counts, genes, 33.5)
    thumbnail = np.zeros((4, 5, 3), dtype=np.uint8)
    found = spot_anndata(spots, np.array([True, False]), thumbnail, 0.25, {"spot_um": 100.0})
    found.write_h5ad(tmp_path / "a.h5ad")
    found = anndata.read_h5ad(tmp_path / "a.h5ad")

    assert found.X.toarray().tolist() == [[2, 0], [0, 70000]]
    assert found.obs["in_tissue"].tolist() == [True, False]
    assert found.obs["n_counts"].tolist() == [2, 70000]
    assert found.obsm["spatial"].tolist() == [[10.5, 7], [20.5, 8]]
    assert found.var["gene_id"].tolist() == ["E0", "E1"]
    library = found.uns["spatial"]["ST"]
    assert library["scalefactors"] == {
        "spot_diameter_fullres": 33.5,
        "tissue_downscaled_fullres_scalef": 0.25,
    }
    assert library["images"]["downscaled_fullres"].shape == (4, 5, 3)
    assert found.uns["sthelar"]["spot_um"] == 100
