"""Spots on a fixed lattice: every transcript in one at most, whatever the data."""

import numpy as np
import pytest
import scipy.sparse as sp

from sthelar_build.core.spots import NONE, SpotLattice, barcodes, spot_quality

SQUARES = SpotLattice("square", 100, 100)
DISCS = SpotLattice("hex", 55, 100)


def number(lattice, x_um, y_um, shape=(4, 5)):
    return int(lattice.numbers(np.array([[x_um, y_um]]), shape)[0])


def test_squares_side_by_side_leave_no_gap_and_own_their_left_and_upper_border():
    assert number(SQUARES, 0, 0) == 0
    assert number(SQUARES, 99.999, 0) == 0
    assert number(SQUARES, 100, 0) == 1
    assert number(SQUARES, 250, 100) == 5 + 2
    assert SQUARES.centres_um([1], [2]).tolist() == [[250, 150]]


def test_a_point_at_the_far_edge_of_a_region_of_whole_spots_does_not_spill_into_the_next_row():
    shape = SQUARES.shape_over(300, 200)
    assert shape == (3, 4)
    assert number(SQUARES, 300, 150, shape) == 4 + 3


def test_points_beyond_the_lattice_are_in_no_spot():
    assert [number(SQUARES, x, 50) for x in (-1, 501)] == [NONE, NONE]
    assert number(SQUARES, 50, 400) == NONE


def test_squares_apart_leave_what_is_between_them():
    apart = SpotLattice("square", 60, 100)
    assert [number(apart, x, 50) for x in (19, 20, 80, 81)] == [NONE, 0, 0, NONE]


def test_every_second_row_of_discs_is_shifted_by_half_a_spacing():
    centres = DISCS.centres_um([0, 1, 2], [0, 0, 0])
    np.testing.assert_allclose(centres[:, 0], [50, 100, 50])
    np.testing.assert_allclose(np.diff(centres[:, 1]), 100 * np.sqrt(3) / 2)
    np.testing.assert_allclose(np.linalg.norm(np.diff(centres, axis=0), axis=1), 100)


def test_discs_hold_what_is_within_their_radius():
    x, y = DISCS.centres_um([1], [2])[0]
    assert number(DISCS, x + 27.4, y) == 5 + 2
    assert number(DISCS, x + 27.6, y) == NONE
    assert number(DISCS, x, y - 27.4) == 5 + 2


@pytest.mark.parametrize("spot_um", [55, 100])
def test_discs_agree_with_the_distance_to_every_centre(spot_um):
    lattice, shape = SpotLattice("hex", spot_um, 100), (6, 5)
    points = np.random.default_rng(0).uniform(0, 500, (2000, 2))
    rows, columns = (part.ravel() for part in np.indices(shape))
    centres = lattice.centres_um(rows, columns)
    distance = np.linalg.norm(points[:, None] - centres[None], axis=2)
    expected = np.where(distance.min(axis=1) <= spot_um / 2, distance.argmin(axis=1), NONE)
    np.testing.assert_array_equal(lattice.numbers(points, shape), expected)


def test_visium_counts_the_columns_of_its_lattice_by_two():
    rows, columns = np.array([0, 1]), np.array([3, 3])
    assert DISCS.array_places(rows, columns)[1].tolist() == [6, 7]
    assert SQUARES.array_places(rows, columns)[1].tolist() == [3, 3]


def test_barcodes_are_of_one_length():
    assert barcodes(np.array([1, 12]), np.array([0, 999]), (20, 1000)) == ["001x000", "012x999"]
    assert barcodes(np.array([1]), np.array([2]), (5, 1001)) == ["0001x0002"]


def test_quality_counts_genes_and_the_share_of_the_most_frequent():
    rows = np.zeros((3, 70), dtype=np.int32)
    rows[0, :60] = 1
    rows[0, 7] = 41
    rows[1, :2] = 3, 1
    table = spot_quality(sp.csr_matrix(rows))
    assert table["n_genes_by_counts"].tolist() == [60, 2, 0]
    assert table["total_counts"].tolist() == [100, 4, 0]
    np.testing.assert_allclose(table["log1p_total_counts"], np.log([101, 5, 1]))
    # The gene with 41 and 49 of the 59 genes with one each.
    assert table["pct_counts_in_top_50_genes"].tolist() == [90, 100, 0]
    assert table["pct_counts_in_top_100_genes"].tolist() == [100, 100, 0]
