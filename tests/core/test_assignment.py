import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from sthelar_build.core import assignment
from sthelar_build.core.assignment import NucleiOfCells, PairCounts


@pytest.fixture
def nuclei():
    """Cell 0 owns two nuclei (rows 0 and 2), cell 1 one (row 1), cell 2 none."""
    geometries = np.array([box(0, 0, 2, 2), box(10, 0, 12, 2), box(4, 0, 6, 2)], dtype=object)
    return NucleiOfCells(np.array([0, 1, 0]), geometries, n_cells=3)


def place(nuclei, cell_row, x, y, in_nucleus=True):
    return nuclei.rows_of(
        np.array([cell_row]), np.array([in_nucleus]), np.array([[x, y]], dtype=float)
    ).item()


@pytest.mark.parametrize(
    ("x", "nucleus"), [(1, 0), (5, 2), (2.5, 0), (3.5, 2), (3, 0), (-4, 0), (11, 2)]
)
def test_of_several_nuclei_the_containing_one_is_taken_else_the_nearest_else_the_first(
    nuclei, x, nucleus
):
    assert place(nuclei, 0, x, 1) == nucleus


def test_the_only_nucleus_is_taken_wherever_the_point_lies(nuclei):
    assert place(nuclei, 1, 100, 100) == 1


def test_a_transcript_outside_nuclei_gets_none_even_if_it_lies_in_one(nuclei):
    assert place(nuclei, 0, 1, 1, in_nucleus=False) == -1


def test_a_cell_without_nucleus_and_no_cell_give_none(nuclei):
    assert place(nuclei, 2, 1, 1) == -1
    assert place(nuclei, -1, 1, 1) == -1


def test_a_batch_is_placed_like_its_transcripts_one_by_one(nuclei):
    rng = np.random.default_rng(0)
    cells = rng.integers(-1, 3, 200)
    flags = rng.random(200) < 0.7
    points = rng.uniform(-2, 14, (200, 2))
    batch = nuclei.rows_of(cells, flags, points)
    single = [place(nuclei, c, x, y, f) for c, f, (x, y) in zip(cells, flags, points, strict=True)]
    assert batch.tolist() == single


def test_pairs_are_counted_and_those_with_a_missing_side_are_left_out():
    counts = PairCounts(2, 3)
    counts.add(np.array([0, 0, 1, -1, 1]), np.array([2, 2, 0, 1, -1]))
    counts.add(np.array([0, 1]), np.array([2, 1]))
    assert counts.matrix().toarray().tolist() == [[0, 0, 3], [1, 1, 0]]


def test_without_pairs_the_counts_are_zero():
    assert PairCounts(2, 3).matrix().toarray().tolist() == [[0, 0, 0], [0, 0, 0]]


@given(st.lists(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2))), max_size=6))
def test_the_batches_do_not_matter(batches):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assignment, "_MERGE_FROM_PAIRS", 3)
        patch.setattr(assignment, "_BAND_ROWS", 3)
        counts = PairCounts(4, 3)
        expected = np.zeros((4, 3), dtype=int)
        for batch in batches:
            rows, columns = np.array(batch, dtype=int).reshape(-1, 2).T
            counts.add(rows, columns)
            np.add.at(expected, (rows, columns), 1)
        assert counts.matrix().toarray().tolist() == expected.tolist()
