"""Profiles of labels, and of groups of cells within them."""

import numpy as np
import pytest
import scipy.sparse as sp

from sthelar_build.core.atlas.genes import match_genes
from sthelar_build.core.atlas.reference import Reference
from sthelar_build.core.atlas.scale import Scale

COUNTS = [[3, 1, 0], [6, 2, 0], [0, 0, 5], [0, 0, 0], [0, 9, 1]]
LABELS = ["B", "empty", "T"]
CODES = [0, 0, 2, 1, 2]


def reference(order=(0, 1, 2, 3, 4)):
    return Reference(
        labels=LABELS,
        counts=sp.csr_matrix(np.array(COUNTS, dtype=np.float32)[list(order)]),
        codes=np.array(CODES)[list(order)],
        cells_per_label=np.array([20, 1, 40]),
        genes=match_genes(["X", "Y", "Z"], ["", "", ""], {"index": ["X", "Y", "Z"]}),
        scale=Scale("raw", "counts"),
        source="X",
    )


def test_a_profile_is_the_summed_expression_as_shares():
    profiles, labels = reference().profiles()
    np.testing.assert_allclose(profiles, [[0.75, 0.25, 0], [0, 9 / 15, 6 / 15]])
    assert labels.tolist() == [0, 2]


def test_groups_of_cells_have_profiles_of_their_own():
    profiles, labels = reference().profiles(np.array([0, 0, 2, 1, 3]))
    np.testing.assert_allclose(profiles, [[0.75, 0.25, 0], [0, 0, 1], [0, 0.9, 0.1]])
    assert labels.tolist() == [0, 2, 2]


def test_the_order_of_the_cells_does_not_matter():
    straight, turned = reference().profiles(), reference([4, 2, 0, 3, 1]).profiles()
    np.testing.assert_allclose(turned[0], straight[0])
    assert turned[1].tolist() == straight[1].tolist()


def test_labels_without_expression_are_told():
    assert reference().expressing().tolist() == [True, False, True]


def test_labels_are_left_out_with_their_cells():
    kept = reference().of_labels(np.array([True, False, True]))
    assert kept.labels == ["B", "T"]
    assert kept.codes.tolist() == [0, 0, 1, 1]
    assert kept.cells_per_label.tolist() == [20, 40]
    assert kept.cells_used.tolist() == [2, 2]
    assert kept.counts.toarray().tolist() == [COUNTS[n] for n in (0, 1, 2, 4)]
    assert kept.profiles()[0] == pytest.approx(reference().profiles()[0])


def test_the_columns_of_the_genes_are_those_of_the_panel():
    assert reference().gene_columns.tolist() == [0, 1, 2]
    assert reference().cells_used.tolist() == [2, 1, 2]
