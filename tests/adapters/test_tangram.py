"""Tangram: our engine equals tangram-sc, and the result does not depend on threads."""

import logging
import warnings

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sthelar_build.adapters.tangram import MappingRecipe, label_shares, place_labels_with_tangram_sc
from sthelar_build.core.mapping import Problem, place_labels

LABELS = 4


def mapping(**changes):
    values = {
        "epochs": 100,
        "density_epochs": 40,
        "learning_rate": 0.1,
        "density_weight": 1.0,
        "bag_cells": 10_000,
        "seed": 1,
        "engine": "sparse",
    }
    return MappingRecipe(**{**values, **changes})


def slide(n_cells=400, n_genes=60, molecules=60, seed=0):
    """Return counts, profiles and the true label of every cell; label 0 is rare, label 3 absent."""
    rng = np.random.default_rng(seed)
    profiles = rng.gamma(0.5, 1, (LABELS, n_genes)) + 0.01
    profiles /= profiles.sum(axis=1, keepdims=True)
    truth = rng.choice(LABELS, n_cells, p=[0.05, 0.35, 0.6, 0])
    counts = rng.poisson(profiles[truth] * molecules)
    counts[:, 0] += 1
    return sp.csr_matrix(counts.astype(np.float32)), profiles, truth


def problem():
    counts, profiles, _ = slide(n_cells=80, n_genes=25)
    seen = np.asarray(counts.sum(axis=0)).ravel() > 0
    totals = np.asarray(counts.sum(axis=1)).ravel()
    return Problem(
        profiles[:, seen] * 100,
        counts[:, seen],
        totals / totals.sum(),
        np.array([0.1, 0.2, 0.3, 0.4]),
    )


def test_the_sparse_engine_equals_the_optimiser_of_tangram_sc():
    case = problem()
    start = np.random.default_rng(0).standard_normal((80, LABELS), dtype=np.float32)
    ours = place_labels(case, start, epochs=60)
    theirs = place_labels_with_tangram_sc(case, start, epochs=60)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-6)


def test_the_sparse_engine_equals_map_cells_to_space():
    """The public function of tangram-sc, on raw counts, with its own seed."""
    rng = np.random.default_rng(0)
    genes = [f"g{number}" for number in range(15)]
    atlas = anndata.AnnData(
        sp.csr_matrix(rng.poisson(2, (40, 15)).astype(np.float32)),
        obs=pd.DataFrame({"label": list("aabc") * 10}, index=[f"r{n}" for n in range(40)]),
        var=pd.DataFrame(index=genes),
    )
    cells = anndata.AnnData(
        sp.csr_matrix(rng.poisson(2, (20, 15)).astype(np.float32)),
        obs=pd.DataFrame(index=[f"c{n}" for n in range(20)]),
        var=pd.DataFrame(index=genes),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        level = logging.getLogger().level
        import tangram

        tangram.pp_adatas(atlas, cells)
        theirs = tangram.map_cells_to_space(
            atlas,
            cells,
            mode="clusters",
            cluster_label="label",
            lambda_d=1,
            random_state=1,
            num_epochs=50,
            verbose=False,
        )
        logging.getLogger().setLevel(level)
    names = list(theirs.obs["label"])
    sums = [atlas[atlas.obs["label"] == name].X.sum(axis=0).A1 for name in names]
    totals = cells.X.sum(axis=1).A1
    case = Problem(
        np.array(sums), cells.X, totals / totals.sum(), np.array(theirs.obs["cluster_density"])
    )
    np.random.seed(1)  # noqa: NPY002  (the generator that tangram-sc uses)
    start = np.random.normal(0, 1, (3, 20)).T  # noqa: NPY002
    ours = place_labels(case, start.astype(np.float32), epochs=50)
    np.testing.assert_allclose(ours.T, theirs.X, rtol=1e-3, atol=1e-6)


def test_cells_get_their_label_although_one_is_rare_and_one_absent():
    counts, profiles, truth = slide()
    shares = label_shares(counts, profiles, mapping())
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    assert (shares.argmax(axis=1) == truth).mean() > 0.97


def test_measured_shares_of_labels_do_better_than_equal_ones():
    counts, profiles, truth = slide(molecules=25)
    measured = label_shares(counts, profiles, mapping())
    equal = label_shares(counts, profiles, mapping(density_epochs=0))
    assert (measured.argmax(1) == truth).mean() >= (equal.argmax(1) == truth).mean()


def test_threads_and_repetition_change_nothing():
    counts, profiles, _ = slide()
    once = label_shares(counts, profiles, mapping(bag_cells=150), threads=1)
    again = label_shares(counts, profiles, mapping(bag_cells=150), threads=2)
    np.testing.assert_array_equal(once, again)


def test_both_engines_give_the_same_shares():
    counts, profiles, _ = slide(n_cells=100, n_genes=20)
    ours = label_shares(counts, profiles, mapping())
    theirs = label_shares(counts, profiles, mapping(engine="tangram-sc"))
    np.testing.assert_allclose(ours, theirs, atol=2e-3)


def test_importing_tangram_leaves_the_logger_alone():
    before = logging.getLogger().level
    place_labels_with_tangram_sc(problem(), np.zeros((80, LABELS), dtype=np.float32), epochs=1)
    assert logging.getLogger().level == before


@pytest.mark.parametrize("bag_cells", [100, 130, 400])
def test_every_cell_is_in_one_bag(bag_cells):
    counts, profiles, _ = slide()
    shares = label_shares(counts, profiles, mapping(bag_cells=bag_cells, epochs=5))
    assert np.isfinite(shares).all()
