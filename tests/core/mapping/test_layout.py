"""Rows are filled up and lie on cache lines; chunks depend on the problem alone."""

from itertools import pairwise

import numpy as np
import pytest

from sthelar_build.core.mapping.layout import aligned_zeros, chunks, padded, padded_width


@pytest.mark.parametrize(("labels", "width"), [(1, 32), (32, 32), (33, 64)])
def test_rows_are_filled_up_to_whole_lanes(labels, width):
    assert padded_width(labels) == width


def test_what_fills_up_is_zero():
    found = padded(np.array([[1.0, 2], [3, 4]]), 3, 4)
    assert found.tolist() == [[1, 2, 0, 0], [3, 4, 0, 0], [0, 0, 0, 0]]
    assert found.dtype == np.float32


def test_rows_begin_on_cache_lines():
    assert all(aligned_zeros(3, 32).ctypes.data % 64 == 0 for _ in range(5))
    assert aligned_zeros(0, 32).shape == (0, 32)


def test_chunks_cover_every_cell_once_and_are_at_most_64():
    found = chunks(1_000_003, 400 * 32)
    assert len(found) == 64
    assert (found[0][0], found[-1][1]) == (0, 1_000_003)
    assert all(before[1] == after[0] for before, after in pairwise(found))


def test_few_cells_are_one_chunk_and_large_sums_few_chunks():
    assert chunks(500, 400 * 32) == [(0, 500)]
    assert len(chunks(1_000_000, 18_000 * 256)) == 7
