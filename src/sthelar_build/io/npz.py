"""Arrays larger than memory to npy and npz, chunk by chunk, and back."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from sthelar_build.io.zips import ZipWriter, packed, zip_bytes, zip_writer


class NpzWriter:
    """Adds arrays one after the other; see ``npz_writer``."""

    def __init__(self, archive: ZipWriter, deflate_level: int, threads: int) -> None:
        self._archive, self._deflate_level, self._threads = archive, deflate_level, threads

    def add(
        self, name: str, dtype: DTypeLike, shape: tuple[int, ...], chunks: Iterable[NDArray[Any]]
    ) -> None:
        """Add an array whose chunks, joined along the first axis, have ``shape``."""
        pieces = _npy_pieces(dtype, shape, chunks)
        self._archive.append_stream(f"{name}.npy", pieces, self._deflate_level, self._threads)


@contextmanager
def npz_writer(path: Path, deflate_level: int, threads: int = 1) -> Iterator[NpzWriter]:
    """Open a new npz for ``np.load``; level 0 stores, 1 to 9 deflate, by several threads. The caller publishes it."""
    with zip_writer(path) as archive:
        yield NpzWriter(archive, deflate_level, threads)


def npz_bytes(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return a small npz of arrays, not compressed; some times as fast as ``np.savez``, with the same content."""
    return zip_bytes(packed(f"{name}.npy", _npy_bytes(array)) for name, array in arrays.items())


def _npy_bytes(array: NDArray[Any]) -> bytes:
    values = np.asarray(array, order="C")
    return _npy_head(values.dtype.str, values.shape) + values.tobytes()


@lru_cache(maxsize=1024)
def _npy_head(dtype: str, shape: tuple[int, ...]) -> bytes:
    content = io.BytesIO()
    npy.write_array_header_1_0(content, {"descr": dtype, "fortran_order": False, "shape": shape})
    return content.getvalue()


def write_npy(
    file: IO[bytes], dtype: DTypeLike, shape: tuple[int, ...], chunks: Iterable[NDArray[Any]]
) -> None:
    """Write an array in npy format 1.0 to an open file; ValueError if the chunks do not add up to ``shape``.

    A scalar, shape (), is one chunk of shape (1,).
    """
    for piece in _npy_pieces(dtype, shape, chunks):
        file.write(piece)


def _npy_pieces(
    dtype: DTypeLike, shape: tuple[int, ...], chunks: Iterable[NDArray[Any]]
) -> Iterator[bytes]:
    kind = np.dtype(dtype)
    yield _npy_head(kind.str, shape)
    rows = 0
    for chunk in chunks:
        if chunk.shape[1:] != shape[1:]:
            raise ValueError(f"expected chunks of (n, {shape[1:]}), got {chunk.shape}")
        yield np.ascontiguousarray(chunk, dtype=kind).tobytes()
        rows += len(chunk)
    expected = shape[0] if shape else 1
    if rows != expected:
        raise ValueError(f"expected {expected} rows, got {rows}")


@dataclass(frozen=True)
class StoredArray:
    """An array inside an npz: its dtype and shape are known, its rows come in chunks."""

    path: Path
    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    def chunks(self, rows: int) -> Iterator[NDArray[Any]]:
        """Yield at most ``rows`` rows at a time, as numpy would read them."""
        with zipfile.ZipFile(self.path) as archive, archive.open(f"{self.name}.npy") as file:
            _read_header(file)
            row_bytes = self.dtype.itemsize * int(np.prod(self.shape[1:], dtype=np.int64))
            for start in range(0, self.shape[0], rows):
                n = min(rows, self.shape[0] - start)
                content = file.read(n * row_bytes)
                yield np.frombuffer(content, self.dtype).reshape(n, *self.shape[1:])


def stored_arrays(path: Path) -> dict[str, StoredArray]:
    """Return what an npz holds, by name, without reading the values."""
    with zipfile.ZipFile(path) as archive:
        found = {}
        for member in archive.namelist():
            with archive.open(member) as file:
                shape, dtype = _read_header(file)
            name = member.removesuffix(".npy")
            found[name] = StoredArray(path, name, dtype, shape)
    return found


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran_order, dtype = read(file)
    if fortran_order:
        raise ValueError("expected an array in C order, got Fortran order")
    return shape, dtype
