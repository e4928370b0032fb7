"""Streamed arrays: numpy reads them, and nothing is held in memory."""

import io
import tracemalloc

import numpy as np
import pytest

from sthelar_build.io.npz import npz_bytes, npz_writer, stored_arrays, write_npy


def write(path, level=1):
    with npz_writer(path, level) as arrays:
        arrays.add("images", np.uint8, (5, 2, 3), (np.full((1, 2, 3), n) for n in range(5)))
        arrays.add("types", np.dtype("<U6"), (2,), [np.array(["skin"]), np.array(["breast"])])
        arrays.add("none", np.uint16, (0, 4), [])
        arrays.add("scalar", "|S3", (), [np.array([b"csr"])])


@pytest.mark.parametrize("level", [0, 1, 9])
def test_numpy_loads_what_was_streamed(tmp_path, level):
    write(tmp_path / "a.npz", level)
    with np.load(tmp_path / "a.npz") as found:
        np.testing.assert_array_equal(found["images"][:, 0, 0], range(5))
        assert found["images"].dtype == np.uint8
        assert found["types"].tolist() == ["skin", "breast"]
        assert found["none"].shape == (0, 4)
        assert found["scalar"].item() == b"csr"


def test_chunks_come_back_in_order(tmp_path):
    write(tmp_path / "a.npz")
    images = stored_arrays(tmp_path / "a.npz")["images"]
    assert (images.shape, images.dtype) == ((5, 2, 3), np.uint8)
    chunks = list(images.chunks(2))
    assert [len(chunk) for chunk in chunks] == [2, 2, 1]
    np.testing.assert_array_equal(np.concatenate(chunks)[:, 1, 2], range(5))


def test_two_files_of_the_same_arrays_are_equal_byte_for_byte(tmp_path):
    write(tmp_path / "a.npz")
    write(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_memory_does_not_grow_with_the_number_of_rows(tmp_path):
    def peak(n):
        tracemalloc.start()
        with npz_writer(tmp_path / f"{n}.npz", 1) as arrays:
            arrays.add("x", np.uint8, (n, 1000), (np.zeros((1, 1000), np.uint8) for _ in range(n)))
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(10)
    assert peak(2000) < 1.5 * peak(200)


def test_too_few_rows_and_rows_of_another_shape_are_refused(tmp_path):
    with (tmp_path / "a.npy").open("wb") as file:
        with pytest.raises(ValueError, match="expected 3 rows, got 2"):
            write_npy(file, np.uint8, (3, 2), [np.zeros((2, 2))])
        with pytest.raises(ValueError, match="expected chunks of"):
            write_npy(file, np.uint8, (3, 2), [np.zeros((3, 1))])


def test_small_arrays_in_memory_are_what_numpy_reads():
    arrays = {"one": np.arange(6, dtype=np.int32).reshape(2, 3), "kind": np.array(b"csr")}
    with np.load(io.BytesIO(npz_bytes(arrays))) as found:
        assert found.files == ["one", "kind"]
        np.testing.assert_array_equal(found["one"], arrays["one"])
        assert found["one"].dtype == np.int32
        assert found["kind"].shape == ()
        assert found["kind"].item() == b"csr"


def test_rows_in_the_order_of_fortran_come_back_right():
    turned = np.arange(6).reshape(2, 3).T
    with np.load(io.BytesIO(npz_bytes({"turned": turned}))) as found:
        np.testing.assert_array_equal(found["turned"], turned)
