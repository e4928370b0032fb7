"""Atlases of every kind give the same profiles."""

import logging

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from slides import atlases
from sthelar_build.errors import InputError
from sthelar_build.io.reference import read_reference

PANEL = ["CD3E", "MS4A1", "CD3D"]
OF_B_AND_T = [[1 / 11, 10 / 11, 0], [6 / 24, 0, 18 / 24]]
"""Shares of the panel's genes in the summed counts of B and T cells."""
FORMS = [sp.csr_matrix, sp.csc_matrix, np.asarray]


def read(path, symbols=PANEL, gene_ids=("", "", ""), **options):
    return read_reference(path, "ct", symbols, gene_ids, **options)


def profiles(path, **options):
    found, labels = read(path, **options).profiles()
    assert labels.tolist() == [0, 1]
    return found


def test_profiles_are_shares_of_the_shared_genes(tmp_path):
    found = read(atlases.write(tmp_path))
    assert found.labels == ["B", "T"]
    assert found.gene_columns.tolist() == [0, 1, 2]
    np.testing.assert_allclose(found.profiles()[0], OF_B_AND_T)
    assert (found.source, found.scale.kind) == ("X", "raw")
    assert found.cells_used.tolist() == found.cells_per_label.tolist() == [3, 3]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rows", [[1, 2, 5], [0], range(6)])
def test_the_sample_is_what_anndata_reads_at_those_places(tmp_path, monkeypatch, form, rows):
    path = atlases.write(tmp_path, atlases.table(form(atlases.COUNTS)))
    monkeypatch.setattr("sthelar_build.io.reference.stratified_rows", lambda *_: np.array(rows))
    expected = anndata.read_h5ad(path)[list(rows), ["CD3E", "MS4A1", "CD3D"]].X
    dense = getattr(expected, "toarray", lambda: expected)()
    np.testing.assert_array_equal(read(path).counts.toarray(), dense)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("total", [1e4, 1e6])
def test_normalised_values_and_their_logarithms_are_shares_of_the_same_cells(tmp_path, form, total):
    # Cells of one depth, so that cells count alike before and after they are normalised.
    counts = np.array(
        [[6, 2, 0, 2], [3, 1, 0, 6], [0, 1, 4, 5], [0, 2, 5, 3], [9, 0, 0, 1], [0, 0, 7, 3]]
    )
    raw = profiles(atlases.write(tmp_path, atlases.table(form(counts.astype(np.float32)))))
    for values in (
        counts * total / 10,
        np.log1p(counts * total / 10),
        np.log2(1 + counts * total / 10),
    ):
        path = atlases.write(tmp_path, atlases.table(form(values.astype(np.float32) + 0)))
        np.testing.assert_allclose(profiles(path), raw, atol=1e-5)


def test_logarithms_of_counts_are_taken_back_to_them(tmp_path):
    path = atlases.write(tmp_path, atlases.table(sp.csr_matrix(np.log1p(atlases.COUNTS))))
    np.testing.assert_allclose(profiles(path), OF_B_AND_T, atol=1e-6)


def test_scaled_values_are_left_for_the_raw_counts(tmp_path):
    found = atlases.table(atlases.COUNTS - 2.5)
    found.raw = atlases.table()
    np.testing.assert_allclose(profiles(atlases.write(tmp_path, found)), OF_B_AND_T)


def test_a_layer_is_read_if_named(tmp_path):
    found = atlases.table(sp.csr_matrix(atlases.logged()))
    found.layers["mine"] = sp.csr_matrix(atlases.COUNTS)
    assert read(atlases.write(tmp_path, found), layer="mine").scale.kind == "raw"


@pytest.mark.parametrize(
    "genes",
    [
        {"symbols": atlases.IDS},
        {"symbols": ["a", "b", "c", "d"], "ensembl": atlases.IDS},
        {"symbols": ["Cd3d", "cd3e", "MS4a1", "x"]},
        {"symbols": ["a", "b", "c", "d"], "feature_name": pd.Categorical(atlases.SYMBOLS)},
    ],
    ids=["ids in the index", "ids in a column", "other case", "symbols in a column"],
)
def test_genes_are_found_by_id_or_symbol_wherever_they_stand(tmp_path, genes):
    path = atlases.write(tmp_path, atlases.table(**genes))
    ids = ["ENSG02", "ENSG03.5", "ENSG01"]
    np.testing.assert_allclose(profiles(path, gene_ids=ids), OF_B_AND_T)


@pytest.mark.filterwarnings("ignore:Variable names are not unique")
def test_columns_of_one_symbol_are_summed_after_the_logarithm_is_undone(tmp_path):
    split = np.hstack([atlases.COUNTS, np.ones((6, 1), np.float32)])
    found = anndata.AnnData(
        sp.csr_matrix(np.log1p(split)),
        obs=atlases.table().obs,
        var=pd.DataFrame(index=["CD3D", "CD3E", "MS4A1", "EXTRA", "CD3D"]),
    )
    counts = read(atlases.write(tmp_path, found)).counts.toarray()
    np.testing.assert_allclose(counts[:, 2], atlases.COUNTS[:, 0] + 1, rtol=1e-5)


@pytest.mark.parametrize("older", [atlases.with_old_categories, lambda path: None])
def test_older_encodings_of_the_labels_are_read(tmp_path, older):
    path = atlases.write(tmp_path)
    older(path)
    np.testing.assert_allclose(profiles(path), OF_B_AND_T)


def test_a_file_of_the_first_anndata_is_read_by_symbols_and_by_ids(tmp_path):
    path = atlases.write_legacy(tmp_path)
    np.testing.assert_allclose(profiles(path), OF_B_AND_T)
    np.testing.assert_allclose(
        profiles(path, symbols=list("xyz"), gene_ids=["ENSG02", "ENSG03", "ENSG01"]), OF_B_AND_T
    )
    atlases.add_legacy_raw(path)
    np.testing.assert_allclose(profiles(path), OF_B_AND_T)


def test_a_file_that_anndata_wrote_backed_is_read(tmp_path):
    path = atlases.write(tmp_path)
    backed = anndata.read_h5ad(path, backed="r+")
    backed.obs["more"] = 1
    backed.write()
    backed.file.close()
    np.testing.assert_allclose(profiles(path), OF_B_AND_T)


def test_the_order_of_cells_and_genes_in_the_file_does_not_matter(tmp_path):
    turned = atlases.table()[[4, 2, 0, 5, 3, 1], ["EXTRA", "MS4A1", "CD3D", "CD3E"]].copy()
    np.testing.assert_allclose(profiles(atlases.write(tmp_path, turned)), OF_B_AND_T)


def test_cells_without_a_label_are_left_out_and_counted(tmp_path, caplog):
    types = ["T", "T", "B", None, "T", "B"]
    with caplog.at_level(logging.INFO):
        found = read(atlases.write(tmp_path, atlases.table(types=types)))
    assert found.cells_per_label.tolist() == [2, 3]
    assert found.counts.shape[0] == 5
    assert "2 labels on 5 of 6 cells; the others have none and are left out" in caplog.text


def test_the_cap_takes_as_many_cells_of_every_label(tmp_path):
    found = read(atlases.write(tmp_path), cells_per_label=1)
    assert found.cells_used.tolist() == [1, 1]
    assert found.cells_per_label.tolist() == [3, 3]


def test_cells_are_taken_evenly_from_the_first_column_that_tells_donors_apart(tmp_path, caplog):
    found = atlases.table(types=["T"] * 6)
    found.obs["batch"] = "one"
    found.obs["Donor_ID"] = ["p", "p", "p", "p", "p", "q"]
    path = atlases.write(tmp_path, found)
    with caplog.at_level(logging.INFO):
        for seed in range(5):
            taken = read(path, cells_per_label=2, donor_columns=("batch", "donor_id"), seed=seed)
            assert taken.counts.toarray()[-1].tolist() == [1, 4, 0]
    assert "taken evenly from 2 of obs 'Donor_ID'" in caplog.text


def test_what_was_found_goes_to_the_log(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        read(atlases.write(tmp_path), symbols=["CD3E", "MS4A1", "FOXP3"])
    assert "X holds counts" in caplog.text
    assert (
        "2 of 3 genes of the panel; 2 by symbol (var column index); missing: FOXP3" in caplog.text
    )


def test_an_atlas_of_other_genes_shares_none(tmp_path):
    found = read(atlases.write(tmp_path), symbols=["Mm1", "Mm2", "Mm3"])
    assert len(found.gene_columns) == 0
    assert found.counts.shape == (6, 0)


def test_a_wrong_label_column_is_answered_with_those_there_are(tmp_path):
    with pytest.raises(InputError, match=r"expected the obs column 'cell_type'.*found ct; correct"):
        read_reference(atlases.write(tmp_path), "cell_type", PANEL, [""] * 3)


def test_a_label_column_without_a_label_is_one_line(tmp_path):
    path = atlases.write(tmp_path, atlases.table(types=[None] * 6))
    with pytest.raises(
        InputError, match=r"labels in the obs column 'ct', found only missing values"
    ):
        read(path)


def test_negative_values_in_the_chosen_cells_only_are_refused(tmp_path, monkeypatch):
    values = atlases.COUNTS.copy()
    values[4, 0] = -1
    path = atlases.write(tmp_path, atlases.table(sp.csr_matrix(values)))
    monkeypatch.setattr("sthelar_build.io.h5ad_sources._LOOKED_AT", 2)
    with pytest.raises(
        InputError, match=r"found negative or infinite values, or NaN, in some cells"
    ):
        read(path)


def not_hdf5(path):
    path.write_text("no")


def halved(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def without(name):
    def change(path):
        with h5py.File(path, "r+") as file:
            del file[name]

    return change


def one_dimensional(path):
    with h5py.File(path, "r+") as file:
        del file["X"]
        file["X"] = np.arange(6.0)


def short_indices(path):
    with h5py.File(path, "r+") as file:
        indices = file["X/indices"][:3]
        del file["X/indices"]
        file["X/indices"] = indices


@pytest.mark.parametrize(
    "break_it",
    [
        not_hdf5,
        halved,
        one_dimensional,
        short_indices,
        *map(without, ["obs", "var", "X/indptr", "X/data", "obs/ct/codes", "var/_index"]),
    ],
)
def test_a_broken_file_is_one_line(tmp_path, break_it):
    path = atlases.write(tmp_path)
    break_it(path)
    with pytest.raises(
        InputError, match=r"atlas.h5ad: expected .*, found .*; make or download it again"
    ) as stop:
        read(path)
    assert "\n" not in str(stop.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(InputError, match="expected an h5ad file"):
        read(tmp_path / "none.h5ad")


def test_a_matrix_of_another_size_than_obs_is_refused(tmp_path):
    path = atlases.write(tmp_path)
    with h5py.File(path, "r+") as file:
        del file["X"]
        file["X"] = atlases.COUNTS[:4]
    with pytest.raises(
        InputError, match=r"expected 6 cells and 4 genes in X, as in obs and var, found 4 and 4"
    ):
        read(path)
