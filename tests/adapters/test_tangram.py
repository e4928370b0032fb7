"""Cells get their labels, whatever the engine, the threads and the bags."""

import logging

import numpy as np
import pytest

from slides.mapped_cells import labelled_cells
from sthelar_build.adapters.tangram import MappingRecipe, Profiles, label_shares
from sthelar_build.settings.annotate import AnnotateSettings

RECIPE = AnnotateSettings(epochs=100, density_epochs=40)


def mapping(**changes):
    return RECIPE.model_copy(update=changes).part(MappingRecipe)


def whole(profiles):
    """Return one profile for each label."""
    return Profiles(profiles, np.arange(len(profiles)))


def test_cells_get_their_label_although_one_is_rare_and_one_absent():
    counts, profiles, truth = labelled_cells()
    shares = label_shares(counts, whole(profiles), mapping())
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    assert (shares.argmax(axis=1) == truth).mean() > 0.97


def test_measured_shares_of_labels_do_better_than_equal_ones():
    counts, profiles, truth = labelled_cells(molecules=25)
    measured = label_shares(counts, whole(profiles), mapping())
    equal = label_shares(counts, whole(profiles), mapping(density_epochs=0))
    assert (measured.argmax(1) == truth).mean() >= (equal.argmax(1) == truth).mean()


@pytest.mark.parametrize("changes", [{}, {"engine": "tangram-sc", "bag_cells": 150, "epochs": 10}])
def test_threads_and_repetition_change_nothing(changes):
    counts, profiles, _ = labelled_cells(n_cells=2500 if not changes else 400)
    once = label_shares(counts, whole(profiles), mapping(**changes), threads=1)
    again = label_shares(counts, whole(profiles), mapping(**changes), threads=2)
    np.testing.assert_array_equal(once, again)


def test_both_engines_give_the_same_shares():
    counts, profiles, _ = labelled_cells(n_cells=100, n_genes=20)
    ours = label_shares(counts, whole(profiles), mapping())
    theirs = label_shares(counts, whole(profiles), mapping(engine="tangram-sc"))
    np.testing.assert_allclose(ours, theirs, atol=2e-3)


@pytest.mark.parametrize("bag_cells", [100, 130, 400])
def test_every_cell_is_in_one_bag_of_tangram_sc(bag_cells):
    counts, profiles, _ = labelled_cells()
    recipe = mapping(engine="tangram-sc", bag_cells=bag_cells, epochs=5, density_epochs=2)
    assert np.isfinite(label_shares(counts, whole(profiles), recipe)).all()


def test_the_exact_engine_has_no_bags():
    counts, profiles, _ = labelled_cells()
    small, large = (
        label_shares(counts, whole(profiles), mapping(bag_cells=cells, epochs=5))
        for cells in (100, 10_000)
    )
    np.testing.assert_array_equal(small, large)


@pytest.mark.parametrize("engine", ["exact", "tangram-sc"])
def test_the_shares_of_single_cells_are_added_up_by_label(engine):
    counts, profiles, truth = labelled_cells(n_cells=150, n_genes=80, molecules=150)
    rng = np.random.default_rng(1)
    labels = np.array([0] * 4 + [1] * 9 + [2] * 7 + [3] * 2)
    cells = rng.poisson(profiles[labels] * 2000) / 2000
    single = Profiles(cells / cells.sum(axis=1, keepdims=True), labels)
    shares = label_shares(counts, single, mapping(engine=engine))
    assert shares.shape == (150, 4)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    assert (shares.argmax(axis=1) == truth).mean() > 0.97


def test_profiles_of_a_label_share_its_density():
    profiles = Profiles(np.ones((3, 1)), np.array([1, 0, 1]))
    assert profiles.densities(np.array([0.4, 0.6])).tolist() == [0.3, 0.4, 0.3]


def test_a_uniform_prior_gives_every_cell_as_much():
    counts, profiles, truth = labelled_cells(molecules=200)
    shares = label_shares(counts, whole(profiles), mapping(density_prior="uniform"))
    by_rna = label_shares(counts, whole(profiles), mapping())
    assert (shares.argmax(axis=1) == truth).mean() > 0.97
    assert not np.array_equal(shares, by_rna)


def test_steps_and_terms_are_logged(caplog):
    counts, profiles, _ = labelled_cells()
    with caplog.at_level(logging.INFO):
        label_shares(counts, whole(profiles), mapping(density_epochs=0, tolerance=0.05))
    assert "mapped 400 cells in " in caplog.text
    assert " steps of at most 100: objective -" in caplog.text
    assert "in 100 steps" not in caplog.text
