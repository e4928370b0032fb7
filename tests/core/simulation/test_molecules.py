import numpy as np
import pytest
from shapely import box

from sthelar_build.core.simulation.molecules import (
    ambient_molecules,
    located,
    qualities,
    thinned_low_count,
)

CELLS = np.array([box(0, 0, 10, 10), box(10, 0, 20, 10)], dtype=object)
NUCLEI = np.array([box(3, 3, 7, 7), box(8, 3, 12, 7)], dtype=object)
OWNER = np.array([0, 1])


def test_a_point_belongs_to_its_cell_and_a_nucleus_decides_first():
    points = np.array([[1.0, 1.0], [5.0, 5.0], [9.0, 5.0], [15.0, 1.0], [30.0, 1.0]])
    cell_row, in_nucleus = located(points, CELLS, NUCLEI, OWNER)
    assert cell_row.tolist() == [0, 0, 1, 1, -1]
    assert in_nucleus.tolist() == [False, True, True, False, False]


def test_where_nuclei_overlap_the_first_keeps_the_point():
    nuclei = np.array([box(0, 0, 6, 6), box(4, 0, 12, 6)], dtype=object)
    cell_row, _ = located(np.array([[5.0, 3.0]]), CELLS, nuclei, OWNER)
    assert cell_row.tolist() == [0]


def test_qualities_have_the_share_asked_for_below_20():
    qv = qualities(np.random.default_rng(0), 20_000, 0.12)
    assert np.mean(qv < 20) == pytest.approx(0.12, abs=0.01)
    assert qv.min() >= 0
    assert qv.max() == 40


def test_ambient_molecules_prefer_the_space_between_cells():
    places = np.stack([np.arange(100.0), np.zeros(100)], axis=1)
    points = ambient_molecules(np.random.default_rng(0), places, np.arange(100) < 50, 5000)
    outside = (points[:, 0] >= 49.5).sum()
    assert outside == 5000
    assert len(points) - outside == pytest.approx(500, rel=0.2)


def test_no_low_count_cell_keeps_more_than_it_may():
    cell_row = np.array([0, 0, 0, 0, 1, 1, 1, 1, -1])
    counted = np.array([1, 1, 1, 0, 1, 1, 1, 1, 1], dtype=bool)
    keep = thinned_low_count(
        np.random.default_rng(0), cell_row, counted, np.array([True, False]), at_most=2
    )
    assert keep[:3].sum() == 2
    assert keep[3:].all()
