"""Atlases of every kind give the same profiles."""

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sthelar_build.core.normalise import log_normalise
from sthelar_build.errors import InputError
from sthelar_build.io.reference import match_genes, read_reference

COUNTS = np.array([[3, 1, 0, 0], [6, 2, 0, 0], [0, 0, 5, 5], [0, 0, 1, 1]], dtype=np.float32)
GENES = ["CD3D", "CD3E", "MS4A1", "EXTRA"]
IDS = ["ENSG01", "ENSG02", "ENSG03", "ENSG04"]


def atlas(matrix):
    return anndata.AnnData(
        matrix,
        obs=pd.DataFrame({"ct": pd.Categorical(["T", "T", "B", "B"])}, index=list("abcd")),
        var=pd.DataFrame({"gene_id": IDS}, index=GENES),
    )


@pytest.fixture
def raw(tmp_path):
    path = tmp_path / "raw.h5ad"
    atlas(sp.csr_matrix(COUNTS)).write_h5ad(path)
    return path


def read(path, symbols=("CD3E", "MS4A1", "CD3D"), gene_ids=("", "", ""), **options):
    return read_reference(path, "ct", symbols, gene_ids, **options)


def test_profiles_are_shares_of_the_shared_genes(raw):
    found = read(raw)
    assert found.labels == ["B", "T"]
    assert found.gene_columns.tolist() == [0, 1, 2]
    np.testing.assert_allclose(found.profiles, [[0, 1, 0], [0.25, 0, 0.75]])
    assert (found.scale, found.cells_used) == ("raw", 4)


@pytest.mark.parametrize("form", [sp.csc_matrix, np.asarray])
def test_the_form_of_the_matrix_does_not_matter(tmp_path, raw, form):
    atlas(form(COUNTS)).write_h5ad(tmp_path / "other.h5ad")
    np.testing.assert_allclose(read(tmp_path / "other.h5ad").profiles, read(raw).profiles)


def test_logged_values_are_taken_back_to_the_linear_scale(tmp_path):
    atlas(log_normalise(sp.csr_matrix(COUNTS))).write_h5ad(tmp_path / "logged.h5ad")
    found = read(tmp_path / "logged.h5ad")
    assert found.scale == "logged"
    np.testing.assert_allclose(found.profiles, [[0, 1, 0], [0.25, 0, 0.75]], atol=1e-6)


def test_a_layer_is_read_if_named(tmp_path):
    table = atlas(log_normalise(sp.csr_matrix(COUNTS)))
    table.layers["counts"] = sp.csr_matrix(COUNTS)
    table.write_h5ad(tmp_path / "layer.h5ad")
    assert read(tmp_path / "layer.h5ad", layer="counts").scale == "raw"
    with pytest.raises(InputError, match="expected the layer 'raw', found counts"):
        read(tmp_path / "layer.h5ad", layer="raw")


def test_genes_match_by_id_without_version_and_by_symbol_without_case():
    rows = {"ENSG01": 0, "CD3D": 0, "MS4A1": 5}
    panel, columns = match_genes(["x", "ms4a1", "y"], ["ENSG01.7", "", "ENSG99"], rows)
    assert (panel.tolist(), columns.tolist()) == ([0, 1], [0, 5])


def test_ids_find_genes_that_were_renamed(raw):
    found = read(raw, symbols=("OLD1", "OLD2"), gene_ids=("ENSG03", "ENSG77"))
    assert found.gene_columns.tolist() == [0]


def test_the_cap_takes_as_many_cells_of_every_label(raw):
    found = read(raw, cells_per_label=1)
    assert found.cells_used == 2
    assert found.cells_per_label.tolist() == [2, 2]


def test_a_wrong_label_column_is_one_line(raw):
    with pytest.raises(InputError, match=r"expected the obs column 'cell_type'.*found ct;"):
        read_reference(raw, "cell_type", GENES, IDS)


def test_scaled_values_are_refused(tmp_path):
    atlas(COUNTS - 2.5).write_h5ad(tmp_path / "scaled.h5ad")
    with pytest.raises(InputError, match="negative values"):
        read(tmp_path / "scaled.h5ad")


def test_a_file_that_is_not_h5ad_is_one_line(tmp_path):
    (tmp_path / "x.h5ad").write_text("no")
    with pytest.raises(InputError, match="expected an h5ad file"):
        read(tmp_path / "x.h5ad")


def test_the_old_encoding_of_categories_is_read(tmp_path, raw):
    path = tmp_path / "old.h5ad"
    atlas(sp.csr_matrix(COUNTS)).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        codes, words = file["obs/ct/codes"][()], file["obs/ct/categories"][()]
        del file["obs/ct"]
        file["obs/ct"] = codes
        file["obs/__categories/ct"] = words
    assert read(path).labels == ["B", "T"]
