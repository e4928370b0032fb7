"""Rows of an npz are what numpy reads, found without unpacking the others."""

import pickle
import tracemalloc

import numpy as np
import pytest

from sthelar_build.errors import InputError
from sthelar_build.io.npz import npz_writer, stored_arrays
from sthelar_build.io.npz_rows import NpzRows

MARK = b"\x00\x00\xff\xff"
VALUES = np.arange(7 * 6, dtype=np.uint16).reshape(7, 2, 3)


def write(path, values=VALUES, level=1, threads=1):
    with npz_writer(path, level, threads) as arrays:
        arrays.add("before", "u1", (3,), [np.array([1, 2, 3], np.uint8)])
        arrays.add("a", values.dtype, values.shape, (row[None] for row in values))
        arrays.add("after", "u1", (3,), [np.array([4, 5, 6], np.uint8)])
    return NpzRows(stored_arrays(path)["a"])


@pytest.mark.parametrize("level", [0, 1, 9])
def test_every_row_is_what_numpy_reads_in_any_order(tmp_path, level):
    rows = write(tmp_path / "a.npz", level=level)
    with np.load(tmp_path / "a.npz") as arrays:
        for row in (6, 0, 3, 3, 1, 5, 2, 4):
            np.testing.assert_array_equal(rows[row], arrays["a"][row])
    assert len(rows) == 7


def test_content_that_looks_like_a_boundary_does_not_mislead(tmp_path):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (5, 64), dtype=np.uint8)
    noise[1, 20:24] = noise[4, 50:54] = np.frombuffer(MARK, np.uint8)
    rows = write(tmp_path / "a.npz", noise)
    # Noise is stored as it is, so that the file has more marks than rows.
    assert (tmp_path / "a.npz").read_bytes().count(MARK) > 6 + 4
    for row in range(5):
        np.testing.assert_array_equal(rows[row], noise[row])


def test_an_array_without_rows_has_none(tmp_path):
    assert len(write(tmp_path / "a.npz", VALUES[:0])) == 0


def test_a_copy_for_another_process_leaves_the_file_behind_and_reads_the_same(tmp_path):
    rows = write(tmp_path / "a.npz")
    copy = pickle.dumps(rows)
    assert len(copy) < 2000
    np.testing.assert_array_equal(pickle.loads(copy)[6], VALUES[6])


def test_an_npz_that_numpy_compressed_in_one_piece_is_refused(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", a=VALUES)
    with pytest.raises(InputError, match=r"expected 7 rows .* found 0; read it with numpy\.load"):
        NpzRows(stored_arrays(tmp_path / "a.npz")["a"])


def test_a_row_that_is_broken_is_refused_when_it_is_read(tmp_path):
    rows = write(tmp_path / "a.npz", np.random.default_rng(0).integers(0, 9, (4, 500)))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    start, stop = (int(place) for place in rows._bounds[1:3])
    content[start : start + 40] = b"\xff" * 40
    (tmp_path / "a.npz").write_bytes(content)
    assert stop > start + 40
    with pytest.raises(InputError, match="found row 1 broken"):
        pickle.loads(pickle.dumps(rows))[1]


def test_memory_does_not_grow_with_the_number_of_rows(tmp_path):
    big = np.zeros((40, 2**18), dtype=np.uint8)
    write(tmp_path / "a.npz", big)
    array = stored_arrays(tmp_path / "a.npz")["a"]
    tracemalloc.start()
    rows = NpzRows(array)
    for row in range(40):
        assert not rows[row].any()
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 4 * 2**18
