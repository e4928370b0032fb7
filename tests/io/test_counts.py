"""h5ad round trips."""

import json

import anndata
import numpy as np
import pytest
from scipy.sparse import csr_matrix

from sthelar_build.errors import InputError
from sthelar_build.io.counts import read_h5ad, write_h5ad


def test_a_table_survives_with_its_provenance(tmp_path):
    path = tmp_path / "counts.h5ad"
    counts = csr_matrix(np.array([[0, 2], [1, 0]], dtype=np.float32))
    write_h5ad(path, anndata.AnnData(counts), {"stage": "count"})
    table = read_h5ad(path)
    assert table.X.toarray().tolist() == [[0, 2], [1, 0]]
    assert json.loads(table.uns["sthelar"]) == {"stage": "count"}


@pytest.mark.parametrize("content", [b"not an h5 file", None])
def test_what_is_not_h5ad_is_refused(tmp_path, content):
    path = tmp_path / "counts.h5ad"
    if content:
        path.write_bytes(content)
    with pytest.raises(InputError, match="expected an h5ad file"):
        read_h5ad(path)
