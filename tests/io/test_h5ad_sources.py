"""The matrix that is read is X, or what has to stand in for it, and the log says which."""

import logging

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from slides import atlases
from sthelar_build.errors import InputError
from sthelar_build.io.h5ad_sources import usable_source

SCALED = atlases.COUNTS - atlases.COUNTS.mean(axis=0)


def chosen(path, layer=""):
    """Return name, kind, number of genes of the source, and its first row."""
    with h5py.File(path) as file:
        source = usable_source(path, file, layer)
        n_genes = source.matrix.shape[1]
        row = source.matrix.part(np.array([0]), np.arange(n_genes)).toarray()[0]
        return source.name, source.scale.kind, n_genes, row.tolist()


@pytest.mark.parametrize("form", [sp.csr_matrix, sp.csc_matrix, np.asarray])
def test_counts_in_x_are_read_whatever_the_form(tmp_path, form):
    path = atlases.write(tmp_path, atlases.table(form(atlases.COUNTS)))
    assert chosen(path) == ("X", "raw", 4, [3, 1, 0, 0])


@pytest.mark.parametrize("form", [sp.csr_matrix, sp.csc_matrix, np.asarray])
def test_logarithms_in_x_are_read_as_such(tmp_path, form):
    path = atlases.write(tmp_path, atlases.table(form(atlases.logged())))
    assert chosen(path)[:2] == ("X", "logged")


@pytest.mark.parametrize(
    "matrix",
    [SCALED, np.zeros_like(SCALED), np.full_like(SCALED, np.nan)],
    ids=["scaled", "empty", "nan"],
)
def test_raw_counts_stand_in_for_an_x_of_no_use(tmp_path, matrix):
    found = atlases.table(matrix)
    found.raw = atlases.table()
    assert chosen(atlases.write(tmp_path, found)) == ("raw.X", "raw", 4, [3, 1, 0, 0])


def test_a_layer_of_counts_stands_in_too_and_the_log_says_why(tmp_path, caplog):
    found = atlases.table(SCALED)
    found.layers["Counts"] = sp.csr_matrix(atlases.COUNTS)
    with caplog.at_level(logging.INFO):
        assert chosen(atlases.write(tmp_path, found))[:2] == ("layers/Counts", "raw")
    assert "layers/Counts holds counts (X holds negative values" in caplog.text


def test_the_first_atlases_kept_raw_counts_elsewhere(tmp_path):
    path = atlases.write_legacy(tmp_path)
    atlases.add_legacy_raw(path)
    assert chosen(path) == ("raw.X", "raw", 4, [3, 1, 0, 0])
    assert chosen(path, "raw.X") == chosen(path)


def test_an_atlas_without_x_is_read_from_its_layer(tmp_path):
    found = anndata.AnnData(
        obs=pd.DataFrame(index=list("abcdef")),
        var=pd.DataFrame(index=atlases.SYMBOLS),
        layers={"counts": sp.csr_matrix(atlases.COUNTS)},
    )
    assert chosen(atlases.write(tmp_path, found))[0] == "layers/counts"


def test_x_goes_before_counts_elsewhere_if_its_scale_is_plain(tmp_path):
    found = atlases.table(sp.csr_matrix(atlases.logged()))
    found.raw = atlases.table()
    assert chosen(atlases.write(tmp_path, found))[:2] == ("X", "logged")


def test_an_x_of_some_genes_whose_scale_is_guessed_gives_way(tmp_path):
    found = atlases.table(sp.csr_matrix(atlases.logged()))
    found.raw = found.copy()
    assert chosen(atlases.write(tmp_path, found[:, ["CD3E", "EXTRA"]].copy()))[:3] == (
        "raw.X",
        "logged",
        4,
    )


def test_an_x_whose_scale_is_guessed_is_read_if_there_is_nothing_else(tmp_path):
    found = atlases.table(sp.csr_matrix(atlases.logged()))[:, ["CD3E", "EXTRA"]].copy()
    found.layers["counts"] = sp.csr_matrix(SCALED[:, :2])
    assert chosen(atlases.write(tmp_path, found))[:2] == ("X", "logged")


@pytest.mark.parametrize(
    ("layer", "name"),
    [("raw.X", "raw.X"), ("raw", "raw.X"), ("mine", "layers/mine"), ("X", "X"), ("", "X")],
)
def test_a_matrix_is_named_as_anndata_writes_it(tmp_path, layer, name):
    found = atlases.table(sp.csr_matrix(atlases.logged()))
    found.raw = atlases.table()
    found.layers["mine"] = sp.csr_matrix(atlases.COUNTS)
    assert chosen(atlases.write(tmp_path, found), layer)[0] == name


def test_a_layer_that_is_called_raw_goes_before_the_raw_matrix(tmp_path):
    found = atlases.table(sp.csr_matrix(atlases.logged()))
    found.raw = found.copy()
    found.layers["raw"] = sp.csr_matrix(atlases.COUNTS)
    assert chosen(atlases.write(tmp_path, found), "raw")[:2] == ("layers/raw", "raw")


def test_a_named_layer_is_never_replaced_by_another(tmp_path):
    found = atlases.table()
    found.layers["scaled"] = SCALED
    with pytest.raises(
        InputError, match=r"found layers/scaled holds negative values .* \(the file has scaled\)"
    ):
        chosen(atlases.write(tmp_path, found), "scaled")


def test_a_layer_that_is_not_there_is_answered_with_those_that_are(tmp_path):
    found = atlases.table()
    found.layers["counts"] = sp.csr_matrix(atlases.COUNTS)
    found.raw = found
    path = atlases.write(tmp_path, found)
    with pytest.raises(
        InputError, match=r"expected the layer 'umis', found counts, raw.X; correct layer"
    ):
        chosen(path, "umis")


def test_nothing_of_use_is_one_line_with_all_that_was_found(tmp_path):
    found = atlases.table(SCALED)
    found.raw = atlases.table(np.zeros_like(SCALED))
    with pytest.raises(
        InputError, match=r"found X holds negative values .*; raw.X holds only zeros; name another"
    ):
        chosen(atlases.write(tmp_path, found))
