"""Single rows of a compressed npz that ``export`` wrote, read where they lie: nothing is unpacked, nothing else is read."""

from __future__ import annotations

import mmap
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sthelar_build.errors import InputError
from sthelar_build.io.npz import StoredArray

_LOCAL_HEAD = struct.Struct("<26xHH")
"""Of an entry of a zip: 26 bytes, then the lengths of its name and of its extra field."""
_BOUNDARY = b"\x00\x00\xff\xff"
"""What a full flush leaves at the end of a piece of a DEFLATE stream (RFC 1951, an empty stored block)."""


class NpzRows:
    """The rows of one array of an npz; any number of processes may read the same file.

    ``io.zips`` compresses every piece of a stream alone, and ``exporters.pannuke`` makes a piece of every patch: the
    stream can be entered at the boundary of any piece. Of 120,000 patches only the places of the boundaries are kept.
    Boundaries are found by their mark; a chance mark inside a piece is told from a true one by the length of what
    precedes it.
    """

    def __init__(self, array: StoredArray) -> None:
        """Find the rows; InputError if they were not compressed one by one."""
        self._array = array
        self._row_bytes = array.dtype.itemsize * int(np.prod(array.shape[1:], dtype=np.int64))
        self._bytes: mmap.mmap | None = None
        info, start = _entry(array.path, f"{array.name}.npy")
        self._deflated = info.compress_type == zipfile.ZIP_DEFLATED
        stop = start + info.compress_size
        self._bounds = self._marked(start, stop) if self._deflated else self._stepped(stop)

    def __len__(self) -> int:
        return self._array.shape[0]

    def __getitem__(self, row: int) -> NDArray[Any]:
        """Return a row; InputError if the file is broken there."""
        content = self._content(int(self._bounds[row]), int(self._bounds[row + 1]))
        if content is None:
            raise InputError(
                f"{self._array.path}: {self._array.name}: expected a whole array, found row {row} broken; "
                "copy the file again, or export it again"
            )
        return np.frombuffer(content, self._array.dtype).reshape(self._array.shape[1:])

    def __getstate__(self) -> dict[str, Any]:
        """Leave the open file behind when a worker gets its copy."""
        return {**self.__dict__, "_bytes": None}

    def _file(self) -> mmap.mmap:
        if self._bytes is None:
            with self._array.path.open("rb") as file:
                self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return self._bytes

    def _content(self, start: int, stop: int) -> bytes | None:
        """Return the row that lies between two boundaries; None if that is not a row."""
        packed = self._file()[start:stop]
        if not self._deflated:
            return packed
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = unpacker.decompress(packed, self._row_bytes + 1)
        except zlib.error:
            return None
        return content if len(content) == self._row_bytes else None

    def _stepped(self, stop: int) -> NDArray[np.int64]:
        """Return where the rows of an array that is not compressed begin and end."""
        return stop - self._row_bytes * np.arange(len(self), -1, -1, dtype=np.int64)

    def _marked(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return where the rows of a compressed array begin and end: the first mark ends the head of the array."""
        marks = _marks(self._file(), start, stop)
        if len(marks) != len(self) + 1:
            marks = self._true_marks(marks)
        return np.array(marks, dtype=np.int64)

    def _true_marks(self, marks: list[int]) -> list[int]:
        """Return the marks between which there is one row, each."""
        true = marks[:1]
        for mark in marks[1:]:
            if self._content(true[-1], mark) is not None:
                true.append(mark)
        if len(true) != len(self) + 1:
            raise InputError(
                f"{self._array.path}: {self._array.name}: expected {len(self)} rows that were compressed one by one, as "
                f"export does, found {max(len(true) - 1, 0)}; read it with numpy.load, or export it again"
            )
        return true


def _entry(path: Path, name: str) -> tuple[zipfile.ZipInfo, int]:
    """Return an entry of a zip and where its content begins."""
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        info = archive.getinfo(name)
        file.seek(info.header_offset)
        name_bytes, extra_bytes = _LOCAL_HEAD.unpack(file.read(_LOCAL_HEAD.size))
    return info, info.header_offset + _LOCAL_HEAD.size + name_bytes + extra_bytes


def _marks(content: mmap.mmap, start: int, stop: int) -> list[int]:
    """Return the places after the marks, in order."""
    found = []
    place = content.find(_BOUNDARY, start, stop)
    while place >= 0:
        found.append(place + len(_BOUNDARY))
        place = content.find(_BOUNDARY, found[-1], stop)
    return found
