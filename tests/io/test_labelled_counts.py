"""Counts come part by part with the classes of their cells."""

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sthelar_build.errors import InputError
from sthelar_build.io import labelled_counts
from sthelar_build.io.counts import write_h5ad
from sthelar_build.io.labelled_counts import LabelledCounts
from sthelar_build.io.provenance import provenance
from sthelar_build.schema.labels import CLASS_NAMES

IDS = ["a", "b", "c"]


@pytest.fixture
def path(tmp_path):
    obs = pd.DataFrame({"cell_id": IDS}, index=IDS)
    counts = sp.csr_matrix(np.array([[1, 0], [0, 2], [3, 0]], dtype=np.float32))
    table = anndata.AnnData(counts, obs=obs, var=pd.DataFrame(index=["CD3E", "EPCAM"]))
    write_h5ad(tmp_path / "counts.h5ad", table, provenance("test"))
    return tmp_path / "counts.h5ad"


def labels(ids, classes):
    return pd.DataFrame({"cell_id": ids, "final_label": classes})


def test_blocks_cover_all_cells_in_the_order_of_the_counts(path, monkeypatch):
    monkeypatch.setattr(labelled_counts, "_ROWS_AT_ONCE", 2)
    table = LabelledCounts(path, labels(["c", "a", "b"], ["Epithelial", "T_NK", None]))
    blocks = list(table.blocks())
    assert table.genes == ["CD3E", "EPCAM"]
    assert [counts.toarray().tolist() for counts, _ in blocks] == [[[1, 0], [0, 2]], [[3, 0]]]
    of = [CLASS_NAMES.index("T_NK"), -1, CLASS_NAMES.index("Epithelial")]
    assert np.concatenate([classes for _, classes in blocks]).tolist() == of


@pytest.mark.parametrize("ids", [["a", "b"], ["a", "b", "d"]])
def test_counts_of_other_cells_are_refused(path, ids):
    with pytest.raises(InputError, match="run refine again"):
        LabelledCounts(path, labels(ids, ["Other"] * len(ids)))
