"""Counts are summed by class, however the table is cut and whatever the order of the labels."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from anndata import AnnData

from sthelar_build.errors import InputError
from sthelar_build.io import labelled_counts
from sthelar_build.io.class_counts import read_class_counts
from sthelar_build.io.counts import write_h5ad
from sthelar_build.schema.labels import CLASS_NAMES

COUNTS = np.array([[1, 0], [2, 5], [4, 0], [8, 7]], dtype=np.float32)
T, OTHER = CLASS_NAMES.index("T_NK"), CLASS_NAMES.index("Other")


@pytest.fixture
def counts(tmp_path):
    obs = pd.DataFrame({"cell_id": list("abcd")}, index=list("abcd"))
    table = AnnData(sp.csr_matrix(COUNTS), obs, pd.DataFrame(index=["CD3E", "EPCAM"]))
    write_h5ad(tmp_path / "counts_cells.h5ad", table, {})
    return tmp_path / "counts_cells.h5ad"


@pytest.mark.parametrize("rows_at_once", [1, 3, 100])
def test_the_counts_of_every_class_are_summed(counts, monkeypatch, rows_at_once):
    monkeypatch.setattr(labelled_counts, "_ROWS_AT_ONCE", rows_at_once)
    labels = pd.DataFrame(
        {"cell_id": list("dcba"), "final_label": ["T_NK", "Other", "T_NK", "T_NK"]}
    )
    found = read_class_counts(counts, labels, "one", "Skin")
    assert (found.slide, found.tissue, found.genes) == ("one", "Skin", ["CD3E", "EPCAM"])
    assert found.counts[T].tolist() == [11, 12]
    assert found.counts[OTHER].tolist() == [4, 0]
    assert found.counts.sum() == COUNTS.sum()
    assert (found.n_cells[T], found.n_cells[OTHER], found.n_cells.sum()) == (3, 1, 4)


@pytest.mark.parametrize("ids", ["abcx", "abc", "abcde"])
def test_labels_of_other_cells_are_refused(counts, ids):
    labels = pd.DataFrame({"cell_id": list(ids), "final_label": "T_NK"})
    with pytest.raises(InputError, match=f"expected the {len(ids)} cells of the labels, found 4"):
        read_class_counts(counts, labels, "one", "Skin")
