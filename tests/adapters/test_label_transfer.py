"""Logistic regression on the atlas's cells labels a slide that is much shallower."""

import logging

import numpy as np
import pytest
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from sthelar_build.adapters.label_transfer import TransferRecipe, redrawn, transfer_labels
from sthelar_build.core.atlas.genes import match_genes
from sthelar_build.core.atlas.reference import Reference
from sthelar_build.core.atlas.scale import Scale

RECIPE = TransferRecipe(transfer_cells_per_label=50, seed=0)
LABELS = ["B", "Fibroblast", "T"]
GENES = [f"G{number}" for number in range(30)]
PROFILES = np.kron(np.eye(3), np.full(10, 5.0)) + 0.5


def drawn(codes, depth, seed):
    rng = np.random.default_rng(seed)
    means = depth * PROFILES[codes] / PROFILES[codes].sum(axis=1, keepdims=True)
    return sp.csr_matrix(rng.poisson(means).astype(np.float32))


def reference(codes=None, labels=LABELS, depth=2000):
    codes = np.arange(150) % 3 if codes is None else codes
    return Reference(
        labels=labels,
        counts=drawn(codes, depth, seed=1),
        codes=codes,
        cells_per_label=np.bincount(codes, minlength=len(labels)),
        genes=match_genes(GENES, [""] * 30, {"index": GENES}),
        scale=Scale("raw", "counts"),
        source="X",
    )


TRUTH = np.arange(90) % 3


def test_shallow_cells_get_their_label_with_a_probability(caplog):
    with caplog.at_level(logging.INFO):
        found = transfer_labels(drawn(TRUTH, 60, seed=2), reference(), RECIPE)
    assert (found.labels == np.array(LABELS)[TRUTH]).mean() > 0.97
    assert found.probabilities.dtype == np.float32
    assert ((found.probabilities > 1 / 3) & (found.probabilities <= 1)).all()
    assert "learnt 3 labels from 150 cells" in caplog.text


def test_deeper_cells_are_more_certain():
    counts = sp.vstack([drawn(TRUTH, 4, seed=2), drawn(TRUTH, 80, seed=3)], format="csr")
    found = transfer_labels(counts, reference(), RECIPE).probabilities
    assert np.nanmean(found[90:]) > np.nanmean(found[:90]) + 0.1


def test_cells_without_a_count_get_no_opinion():
    counts = drawn(TRUTH, 60, seed=2).tolil()
    counts[4] = 0
    found = transfer_labels(counts.tocsr(), reference(), RECIPE)
    assert found.labels[4] is None
    assert np.isnan(found.probabilities).nonzero()[0].tolist() == [4]
    empty = transfer_labels(sp.csr_matrix((2, 30), dtype=np.float32), reference(), RECIPE)
    assert empty.labels.tolist() == [None, None]


def test_a_slide_that_is_too_shallow_to_learn_from_gets_no_opinion_and_says_so(caplog):
    atlas = reference(np.array([0, 1]), ["B", "Fibroblast"])
    counts = sp.csr_matrix(([1.0], ([0], [0])), shape=(2, 30), dtype=np.float32)
    found = transfer_labels(counts, atlas, RECIPE)
    assert found.labels.tolist() == [None, None]
    assert "no opinion, as the slide is too shallow" in caplog.text


def test_a_rare_label_counts_as_much_as_a_common_one():
    codes = np.array([0] * 140 + [1] * 10)
    atlas = reference(codes, ["B", "Fibroblast"])
    found = transfer_labels(
        drawn(np.array([0, 1] * 40), 40, seed=3), atlas, TransferRecipe(1000, 0)
    )
    assert (found.labels == np.array(["B", "Fibroblast"] * 40)).mean() > 0.95


@pytest.mark.parametrize("factor", [1e-4, 1.0, 7.0])
def test_the_scale_of_the_atlas_does_not_matter(factor):
    atlas = reference()
    counts, straight = (
        drawn(TRUTH, 60, seed=2),
        transfer_labels(drawn(TRUTH, 60, seed=2), atlas, RECIPE),
    )
    atlas.counts.data *= np.float32(factor)
    assert transfer_labels(counts, atlas, RECIPE).labels.tolist() == straight.labels.tolist()


def test_the_number_of_threads_does_not_matter():
    counts = drawn(TRUTH, 30, seed=2)
    with threadpool_limits(1):
        one = transfer_labels(counts, reference(), RECIPE)
    with threadpool_limits(2):
        two = transfer_labels(counts, reference(), RECIPE)
    assert two.labels.tolist() == one.labels.tolist()
    np.testing.assert_array_equal(two.probabilities, one.probabilities)


def test_the_order_of_the_objects_does_not_matter():
    counts, order = drawn(TRUTH, 30, seed=2), np.random.default_rng(0).permutation(90)
    straight = transfer_labels(counts, reference(), RECIPE)
    turned = transfer_labels(counts[order], reference(), RECIPE)
    assert turned.labels.tolist() == straight.labels[order].tolist()
    np.testing.assert_array_equal(turned.probabilities, straight.probabilities[order])


def test_cells_are_drawn_at_the_depths_of_the_slide_with_their_own_shares():
    cells = sp.csr_matrix(np.tile([300.0, 100, 0], (2000, 1)).astype(np.float32))
    found = redrawn(cells, np.array([40.0]), seed=0).toarray()
    np.testing.assert_allclose(found.mean(axis=0), [30, 10, 0], rtol=0.03)
    assert (found == found.round()).all()


def test_every_depth_of_the_slide_occurs():
    cells = sp.csr_matrix(np.full((400, 2), 50, dtype=np.float32))
    sums = redrawn(cells, np.array([10.0, 1000.0]), seed=0).sum(axis=1)
    assert 0.4 < (sums > 100).mean() < 0.6


def test_empty_cells_stay_empty_and_the_input_is_kept():
    cells = sp.csr_matrix(np.array([[0, 0], [4, 4]], dtype=np.float32))
    found = redrawn(cells, np.array([20.0]), seed=0)
    assert found[[0]].nnz == 0
    assert cells.toarray().tolist() == [[0, 0], [4, 4]]
