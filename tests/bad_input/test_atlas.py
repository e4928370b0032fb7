"""Atlases that cannot label anything."""

import anndata
import h5py
import numpy as np
import pytest
import scipy.sparse as sp

from bad_input.refusals import ATLAS


def changed(change):
    """Change the atlas as an AnnData in memory; ``change`` may return another one."""

    def damage(path):
        atlas = anndata.read_h5ad(path)
        made = change(atlas)
        (atlas if made is None else made).write_h5ad(path)

    return damage


def with_value(value):
    def change(atlas):
        atlas.X = atlas.X.astype(np.float32)
        atlas.X.data[:] = value

    return changed(change)


def of_other_genes(atlas):
    atlas.var_names = [f"XX{i}" for i in range(atlas.n_vars)]
    atlas.var = atlas.var[[]]


def without_labels(atlas):
    del atlas.obs["cell_type"]


def with_missing_labels(atlas):
    atlas.obs["cell_type"] = np.nan


def with_unknown_labels(atlas):
    atlas.obs["cell_type"] = "Klingon"


def with_a_matrix_cut_short(path):
    with h5py.File(path, "r+") as file:
        values = file["X/data"][:-5]
        del file["X/data"]
        file["X/data"] = values


def with_a_column_too_many(path):
    with h5py.File(path, "r+") as file:
        file["X"].attrs["shape"] = [file["X"].attrs["shape"][0], 10**9]


def with_columns_outside(path):
    with h5py.File(path, "r+") as file:
        file["X/indices"][:] = 10**6


def with_rows_that_run_back(path):
    with h5py.File(path, "r+") as file:
        bounds = file["X/indptr"][:]
        file["X/indptr"][1:-1] = bounds[1:-1][::-1]


def without_genes(path):
    with h5py.File(path, "r+") as file:
        del file["var"]


REFUSED = {
    "shares no gene": (changed(of_other_genes), "gene", "none"),
    "has only NaN": (with_value(np.nan), "NaN"),
    "has negative values": (with_value(-1), "negative"),
    "has only zeros": (with_value(0), "zero"),
    "lacks the column of labels": (changed(without_labels), "cell_type"),
    "has a column of missing labels": (changed(with_missing_labels), "missing"),
    "has labels that no one knows": (changed(with_unknown_labels), "Klingon", "label_map"),
    "has no cells": (changed(lambda atlas: atlas[:0].copy()), "label"),
    "lacks the end of its matrix": (with_a_matrix_cut_short, "damaged"),
    "has a matrix wider than its genes": (with_a_column_too_many, "genes"),
    "has values of genes that are not there": (with_columns_outside, "broken"),
    "has rows that run back": (with_rows_that_run_back, "damaged"),
    "has no table of genes": (without_genes, "var"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_atlas_is_refused_that(slide, case):
    damage, *words = REFUSED[case]
    damage(slide.raw / ATLAS)
    slide.is_refused(slide.preflight(), ATLAS, *words)


def with_genes_twice(atlas):
    doubled = anndata.concat([atlas, atlas], axis=1, merge="first")
    doubled.X = sp.csr_matrix(doubled.X)
    return doubled


READ = {
    "has one label only": lambda atlas: atlas[atlas.obs["cell_type"] == atlas.obs["cell_type"].iloc[0]].copy(),
    "has one cell": lambda atlas: atlas[:1].copy(),
    "has its genes twice": with_genes_twice,
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Variable names are not unique")
@pytest.mark.parametrize("case", READ)
def test_an_atlas_is_read_that(slide, case):
    changed(READ[case])(slide.raw / ATLAS)
    status, said = slide.run(*slide.preflight())
    assert status == 0, said


OPTIONS = {
    "a label column that is not there": ({"label-key": "celltype"}, "cell_type"),
    "a layer that is not there": ({"layer": "raw"}, "raw"),
    "no bundle": ({"xenium": "absent"}, "absent"),
    "a file for the bundle": ({"xenium": "he_image.ome.tif"}, "he_image.ome.tif"),
    "a folder for the H&E": ({"he": "xenium"}, "xenium", "H&E"),
    "a folder for the atlas": ({"reference": "xenium"}, "xenium", "h5ad"),
    "a folder for the alignment": ({"alignment": "xenium"}, "xenium", "alignment"),
    "the bundle of the atlas": ({"reference": "xenium/cell_feature_matrix.h5"}, "h5ad"),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_an_option_is_refused_that_names(slide, case, monkeypatch):
    changes, *words = OPTIONS[case]
    monkeypatch.chdir(slide.raw)
    slide.is_refused(slide.preflight(**changes), *words)
