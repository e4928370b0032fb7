"""Zip archives that are the same, byte for byte, whenever and wherever they are written.

Entries are packed by whoever makes them, in any thread, and added in order by the one that writes.
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

import imagecodecs

from sthelar_build.io.workers import map_threads

_UNIX = 3
_RW_R_R = 0o644 << 16
_STORED, _DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
_VERSION, _DAY = 20, 1 << 5 | 1
"""Version 2.0 of the format; 1980-01-01."""
_LOCAL, _CENTRAL, _MADE_BY = b"PK\x03\x04", b"PK\x01\x02", bytes([_VERSION, _UNIX])
_FACTS, _REST, _END = struct.Struct("<5H3L2H"), struct.Struct("<3H2L"), struct.Struct("<4s4H2LH")
_LAST_BLOCK = b"\x03\x00"
"""An empty last block of a DEFLATE stream."""
DEFAULT_LEVEL = 6
"""Effort of compression where nobody asks for another."""


class Entry(NamedTuple):
    """One file of an archive, ready to be written."""

    name: str
    packed: bytes
    method: int
    """ZIP_STORED or ZIP_DEFLATED."""
    size: int
    """Bytes before compression."""
    checksum: int
    """CRC-32 of these bytes."""


def packed(name: str, content: bytes, level: int = 0) -> Entry:
    """Return an entry, compressed with an effort of 1 to 9; level 0 stores, as PNG gains nothing.

    What would not shrink is stored. The codec is libdeflate.
    """
    checksum = int(imagecodecs.deflate_crc32(content))
    if level:
        deflated = bytes(imagecodecs.deflate_encode(content, level=level, raw=True))
        if len(deflated) < len(content):
            return Entry(name, deflated, _DEFLATED, len(content), checksum)
    return Entry(name, content, _STORED, len(content), checksum)


class ZipWriter(zipfile.ZipFile):
    """A new archive that takes packed entries in the order given, all dated 1980-01-01; see ``zip_writer``."""

    def append(self, entry: Entry) -> None:
        """Write an entry; ValueError if there is one of this name."""
        head = self._head(entry.name, entry.method)
        head.CRC, head.file_size = entry.checksum, entry.size
        head.compress_size = len(entry.packed)
        head.header_offset = self._file.tell()
        self._file.write(head.FileHeader() + entry.packed)
        self._list(head)

    def append_stream(
        self, name: str, contents: Iterable[Any], level: int, threads: int = 1
    ) -> None:
        """Write an entry of any size, whose bytes come in pieces; several threads compress them.

        Every piece is compressed alone, so that the entry does not depend on the number of threads.
        """
        head = self._head(name, _DEFLATED if level else _STORED)
        head.header_offset = self._file.tell()
        self._file.write(head.FileHeader(zip64=True))
        for content, deflated in map_threads(partial(_piece, level), contents, threads):
            head.CRC = imagecodecs.deflate_crc32(content, head.CRC)
            head.file_size += memoryview(content).nbytes
            head.compress_size += self._file.write(deflated)
        head.compress_size += self._file.write(_LAST_BLOCK if level else b"")
        self._file.seek(head.header_offset)
        self._file.write(head.FileHeader(zip64=True))
        self._file.seek(0, os.SEEK_END)
        self._list(head)

    def _head(self, name: str, method: int) -> zipfile.ZipInfo:
        if name in self.NameToInfo:
            raise ValueError(f"{self.filename}: expected every name once, got {name} twice")
        head = zipfile.ZipInfo(name)
        head.create_system, head.external_attr = _UNIX, _RW_R_R
        head.compress_type, head.CRC = method, 0
        return head

    def _list(self, head: zipfile.ZipInfo) -> None:
        self.filelist.append(head)
        self.NameToInfo[head.filename] = head
        # What zipfile itself sets after an entry: where the directory begins, and that it has to be written.
        self.start_dir = self._file.tell()
        self._didModify = True

    def add(self, name: str, content: bytes, *, compress: bool) -> None:
        """Pack and write an entry."""
        self.append(packed(name, content, DEFAULT_LEVEL if compress else 0))

    @property
    def _file(self) -> IO[bytes]:
        if self.fp is None:
            raise ValueError(f"{self.filename}: expected an open archive")
        return self.fp


@contextmanager
def zip_writer(path: Path) -> Iterator[ZipWriter]:
    """Open a new archive, of any size; the caller publishes it."""
    with ZipWriter(path, "x", allowZip64=True) as archive:
        yield archive


def _piece(level: int, content: Any) -> tuple[Any, bytes]:
    """Return a piece, and what stands for it in a DEFLATE stream that goes on after it."""
    if not level:
        return content, bytes(content)
    compressor = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return content, compressor.compress(content) + compressor.flush(zlib.Z_FULL_FLUSH)


def zip_bytes(entries: Iterable[Entry]) -> bytes:
    """Return a small archive of these entries: what a ``zip_writer`` makes of them, many times faster.

    The names are ASCII; all is far below the limits of the old format.
    """
    files: list[bytes] = []
    directory: list[bytes] = []
    offset = 0
    for entry in entries:
        name = entry.name.encode("ascii")
        facts = _FACTS.pack(
            _VERSION,
            0,
            entry.method,
            0,
            _DAY,
            entry.checksum,
            len(entry.packed),
            entry.size,
            len(name),
            0,
        )
        files += [_LOCAL, facts, name, entry.packed]
        directory += [_CENTRAL, _MADE_BY, facts, _REST.pack(0, 0, 0, _RW_R_R, offset), name]
        offset += len(_LOCAL) + len(facts) + len(name) + len(entry.packed)
    size, n = sum(map(len, directory)), len(directory) // 5
    return b"".join((*files, *directory, _END.pack(b"PK\x05\x06", 0, 0, n, n, size, offset, 0)))
