"""Scores of every object, from whatever atlas and panel."""

import logging

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sthelar_build.config import load_config
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.scores import read_scores, read_transfer
from sthelar_build.io.tables import read_attributes, read_provenance
from sthelar_build.settings.annotate import AnnotateSettings
from sthelar_build.stages.annotate import run

SETTINGS = AnnotateSettings(epochs=60, density_epochs=30, min_shared_genes=5)
GENES = [f"G{number}" for number in range(12)]
TYPES = ["B cells", "Fibroblast", "T cells"]


def profiles():
    return np.kron(np.eye(3), np.full(4, 6.0)) + 0.3


def table(path, types, obs, genes=GENES, seed=0, empty=()):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(profiles()[types]).astype(np.float32)
    counts[list(empty)] = 0
    var = pd.DataFrame({"gene_id": [f"ENSG{number:03d}" for number in range(12)]}, index=genes)
    obs = obs.set_axis([str(number) for number in range(len(types))])
    anndata.AnnData(sp.csr_matrix(counts), obs=obs, var=var).write_h5ad(path)


@pytest.fixture
def atlas(tmp_path):
    types = np.arange(60) % 3
    obs = pd.DataFrame({"ct": [TYPES[number] for number in types]})
    table(tmp_path / "atlas.h5ad", types, obs, seed=1)
    return tmp_path / "atlas.h5ad"


@pytest.fixture
def counts(tmp_path):
    types = np.arange(30) % 3
    obs = pd.DataFrame({"cell_id": [f"c{number}" for number in range(30)]})
    path = tmp_path / "counts_cells.h5ad"
    table(path, types, obs, empty=[7])
    return path


def test_every_cell_gets_the_shares_of_its_type(tmp_path, counts, atlas):
    out = tmp_path / "tangram.parquet"
    run(counts, atlas, "ct", out, SETTINGS)
    found = read_scores(out)
    assert found.ids.tolist() == [f"c{number}" for number in range(30)]
    assert found.labels == TYPES
    mapped = np.arange(30) != 7
    np.testing.assert_allclose(found.shares[mapped].sum(axis=1), 1, rtol=1e-5)
    assert (found.shares.argmax(axis=1) == np.arange(30) % 3)[mapped].all()
    assert read_attributes(out)["labels"] == {
        "B cells": "B_Plasma",
        "Fibroblast": "Fibroblast_Myofibroblast",
        "T cells": "T_NK",
    }
    assert read_provenance(out)["settings"]["epochs"] == 60


def test_a_cell_without_counts_has_null_scores_and_is_logged(tmp_path, counts, atlas, caplog):
    out = tmp_path / "tangram.parquet"
    with caplog.at_level(logging.INFO):
        run(counts, atlas, "ct", out, SETTINGS)
    assert np.isnan(read_scores(out).shares[7]).all()
    assert "mapped 29 of 30 objects" in caplog.text


def test_nuclei_are_told_by_their_id(tmp_path, atlas):
    obs = pd.DataFrame({"cell_id": ["a", "a", "b"], "nucleus_id": np.array([1, 2, 3], np.uint32)})
    table(tmp_path / "nuclei.h5ad", np.array([0, 1, 2]), obs)
    run(tmp_path / "nuclei.h5ad", atlas, "ct", tmp_path / "out.parquet", SETTINGS)
    found = read_scores(tmp_path / "out.parquet")
    assert (found.id_column, found.ids.dtype) == ("nucleus_id", np.uint32)


def test_a_panel_with_other_symbols_meets_the_atlas_by_ids(tmp_path, atlas):
    obs = pd.DataFrame({"cell_id": list("abc")})
    table(tmp_path / "x.h5ad", np.array([0, 1, 2]), obs, genes=[f"OLD{n}" for n in range(12)])
    run(tmp_path / "x.h5ad", atlas, "ct", tmp_path / "out.parquet", SETTINGS)
    assert read_scores(tmp_path / "out.parquet").shares.argmax(axis=1).tolist() == [0, 1, 2]


def test_an_atlas_of_another_species_is_refused_and_leaves_nothing(tmp_path, counts, atlas):
    mouse = anndata.read_h5ad(atlas)
    mouse.var_names = [f"Mm{number}" for number in range(12)]
    mouse.var["gene_id"] = [f"ENSMUSG{number}" for number in range(12)]
    mouse.write_h5ad(tmp_path / "mouse.h5ad")
    with pytest.raises(InputError, match=r"expected at least 5 of the 12 genes .* found 0"):
        run(counts, tmp_path / "mouse.h5ad", "ct", tmp_path / "out.parquet", SETTINGS)
    assert not (tmp_path / "out.parquet").exists()


def test_a_label_that_nobody_knows_needs_a_map(tmp_path, counts, atlas):
    odd = anndata.read_h5ad(atlas)
    odd.obs["ct"] = odd.obs["ct"].astype(str).replace("Fibroblast", "cluster seventeen")
    odd.write_h5ad(tmp_path / "odd.h5ad")
    with pytest.raises(InputError, match=r"'cluster seventeen' .*give a label_map"):
        run(counts, tmp_path / "odd.h5ad", "ct", tmp_path / "out.parquet", SETTINGS)
    label_map = tmp_path / "map.tsv"
    label_map.write_text("label\tclass\ncluster seventeen\tMyeloid\n", encoding="utf-8")
    out = tmp_path / "out.parquet"
    run(counts, tmp_path / "odd.h5ad", "ct", out, SETTINGS, label_map=label_map)
    assert read_attributes(out)["labels"]["cluster seventeen"] == "Myeloid"


def test_labels_with_too_few_cells_are_left_out_and_logged(tmp_path, counts, atlas, caplog):
    rare = anndata.read_h5ad(atlas)
    rare.obs["ct"] = rare.obs["ct"].astype(str)
    rare.obs.iloc[0, 0] = "Mast"
    rare.write_h5ad(tmp_path / "rare.h5ad")
    out = tmp_path / "out.parquet"
    with caplog.at_level(logging.INFO):
        run(counts, tmp_path / "rare.h5ad", "ct", out, SETTINGS)
    assert read_scores(out).labels == TYPES
    assert "label 'Mast' left out: 1 cells" in caplog.text


def test_single_cells_need_tangram_sc():
    with pytest.raises(
        ConfigError, match=r"expected mode clusters with engine exact, found cells; set engine to"
    ):
        load_config({"annotate": {"mode": "cells"}})


def rewritten(path, atlas, change):
    """Write the atlas with another matrix."""
    found = anndata.read_h5ad(atlas)
    found.X = sp.csr_matrix(change(found.X.toarray()).astype(np.float32))
    found.write_h5ad(path)
    return path


def annotated(tmp_path, counts, atlas, name="out", **changes):
    out = tmp_path / f"{name}.parquet"
    run(counts, atlas, "ct", out, SETTINGS.model_copy(update=changes))
    return read_scores(out)


MAPPED = np.arange(30) != 7


def test_single_cells_are_placed_and_their_shares_added_up_by_label(
    tmp_path, counts, atlas, caplog
):
    with caplog.at_level(logging.INFO):
        found = annotated(tmp_path, counts, atlas, mode="cells", engine="tangram-sc")
    assert "60 profiles of 3 labels on 12 genes" in caplog.text
    assert found.labels == TYPES
    np.testing.assert_allclose(found.shares[MAPPED].sum(axis=1), 1, rtol=1e-5)
    assert (found.shares.argmax(axis=1) == np.arange(30) % 3)[MAPPED].all()


def test_single_cells_of_one_profile_each_are_placed_as_their_labels_are(tmp_path, counts, atlas):
    # With one cell per label, in the order of the labels, cell and label are the same, and so is what comes out.
    by_label = anndata.read_h5ad(atlas)[np.argsort(np.arange(60) % 3, kind="stable")].copy()
    by_label.write_h5ad(atlas)
    one = {"cells_per_label": 1, "engine": "tangram-sc", "min_label_cells": 1}
    cells = annotated(tmp_path, counts, atlas, mode="cells", **one)
    labels = annotated(tmp_path, counts, atlas, mode="clusters", **one)
    np.testing.assert_array_equal(cells.shares, labels.shares)


def two_states(path, seed=1):
    """Write an atlas whose B cells are of two states that share no gene, and whose label has nine in ten of the first."""
    rng = np.random.default_rng(seed)
    means = np.full((3, 12), 0.3)
    means[0, :4], means[1, 4:8], means[2, 8:] = 9, 9, 9
    states = np.array([0] * 90 + [1] * 10 + [2] * 50)
    obs = pd.DataFrame({"ct": np.array(["B cells", "B cells", "T cells"])[states]})
    var = pd.DataFrame(index=GENES)
    obs.index = obs.index.astype(str)
    counts = rng.poisson(means[states]).astype(np.float32)
    anndata.AnnData(sp.csr_matrix(counts), obs=obs, var=var).write_h5ad(path)
    return path


def test_a_label_of_two_states_is_placed_as_two_profiles(tmp_path, counts, caplog):
    atlas = two_states(tmp_path / "states.h5ad")
    with caplog.at_level(logging.INFO):
        found = annotated(tmp_path, counts, atlas, metacells_per_label=2, min_metacell_cells=10)
    assert "4 profiles of 2 labels" in caplog.text
    assert found.labels == ["B cells", "T cells"]
    np.testing.assert_allclose(found.shares[MAPPED].sum(axis=1), 1, rtol=1e-5)
    # The slide's cells are of types 0, 1 and 2, as the states of the atlas are.
    assert (found.shares.argmax(axis=1) == (np.arange(30) % 3 == 2))[MAPPED].all()


def test_a_label_that_is_too_rare_to_be_split_is_one_profile(tmp_path, counts, atlas):
    whole = annotated(tmp_path, counts, atlas, "whole")
    split = annotated(
        tmp_path, counts, atlas, "split", metacells_per_label=5, min_metacell_cells=20
    )
    np.testing.assert_array_equal(split.shares, whole.shares)


@pytest.mark.parametrize(
    "change",
    [
        lambda x: 1e4 * x / x.sum(axis=1, keepdims=True),
        lambda x: np.log1p(1e4 * x / x.sum(axis=1, keepdims=True)),
        np.log1p,
    ],
    ids=["normalised", "log-normalised", "log of counts"],
)
def test_a_normalised_atlas_gives_the_shares_of_a_raw_one(tmp_path, counts, atlas, change):
    raw = annotated(tmp_path, counts, atlas, "raw")
    other = annotated(tmp_path, counts, rewritten(tmp_path / "other.h5ad", atlas, change), "other")
    np.testing.assert_allclose(other.shares[MAPPED], raw.shares[MAPPED], atol=0.02)
    assert (other.shares.argmax(axis=1) == raw.shares.argmax(axis=1))[MAPPED].all()


def test_the_order_of_the_atlas_does_not_matter(tmp_path, counts, atlas):
    turned = anndata.read_h5ad(atlas)[np.random.default_rng(0).permutation(60)]
    turned[:, GENES[::-1]].copy().write_h5ad(tmp_path / "turned.h5ad")
    straight = annotated(tmp_path, counts, atlas, "straight")
    found = annotated(tmp_path, counts, tmp_path / "turned.h5ad", "turned")
    np.testing.assert_array_equal(found.shares, straight.shares)


def test_a_second_opinion_is_two_more_columns_and_its_agreement_in_the_log(
    tmp_path, counts, atlas, caplog
):
    with caplog.at_level(logging.INFO):
        found = annotated(tmp_path, counts, atlas, label_transfer=True)
    second = read_transfer(tmp_path / "out.parquet")
    assert second.labels[MAPPED].tolist() == [
        TYPES[number % 3] for number in np.flatnonzero(MAPPED)
    ]
    assert second.labels[7] is None
    assert np.isnan(second.probabilities).nonzero()[0].tolist() == [7]
    assert found.labels == TYPES
    assert "label transfer: agrees with Tangram on 100.0 % of 10 B_Plasma" in caplog.text


def test_without_a_second_opinion_there_are_no_columns_for_one(tmp_path, counts, atlas):
    annotated(tmp_path, counts, atlas)
    assert read_transfer(tmp_path / "out.parquet") is None


def test_a_second_opinion_does_not_change_the_first(tmp_path, counts, atlas):
    alone = annotated(tmp_path, counts, atlas, "alone")
    beside = annotated(tmp_path, counts, atlas, "beside", label_transfer=True)
    np.testing.assert_array_equal(beside.shares, alone.shares)
