"""Whether a TIFF is whole as far as its directories say: a copy that was cut short must not lose levels in silence.

Readers leave out what they cannot follow (a level, the colours of a JPEG) and go on; here it is told before any work.
Format: TIFF 6.0, section 2, and BigTIFF.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sthelar_build.errors import InputError

_SUB_DIRECTORIES = 330
_NEEDED_TAGS = {258, 270, 273, 279, 324, 325, _SUB_DIRECTORIES, 347}
"""Bits, description, offsets and lengths of strips and tiles, SubIFDs, tables of JPEG: what pixels hang on."""
_BYTES_OF_TYPE = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_HEADER_BYTES = 16


@dataclass(frozen=True)
class _Form:
    """How a TIFF writes its numbers: byte order, and the letters of ``struct`` for an offset and a number of tags."""

    order: str
    offset: str
    n_tags: str

    def numbers(self, letters: str, data: bytes) -> tuple[int, ...]:
        return struct.unpack(self.order + letters, data)

    def size(self, letters: str) -> int:
        return struct.calcsize(self.order + letters)


def check_directories(path: Path) -> None:
    """Raise InputError if a directory of a TIFF, or what it needs, lies beyond the end of the file.

    A file that is no TIFF passes: it is for its reader to say so.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        form, first = _header(file.read(_HEADER_BYTES))
        if form is None:
            return
        waiting, seen = [first], {0}
        while waiting:
            offset = waiting.pop()
            if offset in seen:
                continue
            seen.add(offset)
            followers = _followers(file, offset, form, size)
            if followers is None:
                raise InputError(
                    f"{path}: expected a whole directory at byte {offset}, found the end of the file at {size}: "
                    "the file is truncated; copy it again from its source"
                )
            waiting += followers


def _header(data: bytes) -> tuple[_Form | None, int]:
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < _HEADER_BYTES:
        return None, 0
    (magic,) = struct.unpack(order + "H", data[2:4])
    form = {42: _Form(order, "I", "H"), 43: _Form(order, "Q", "Q")}.get(magic)
    if form is None:
        return None, 0
    start = form.size(form.offset)
    return form, form.numbers(form.offset, data[start : 2 * start])[0]


def _followers(file: BinaryIO, offset: int, form: _Form, size: int) -> list[int] | None:
    """Return the directories that one points to; None if it, or a value that it needs, is not whole."""
    counted, pointer = form.size(form.n_tags), form.size(form.offset)
    if offset + counted > size:
        return None
    (n_tags,) = form.numbers(form.n_tags, _read(file, offset, counted))
    end = offset + counted + n_tags * _entry_bytes(form)
    if end + pointer > size:
        return None
    found = list(form.numbers(form.offset, _read(file, end, pointer)))
    for tag, kind, n_bytes, place in _needed(_read(file, offset, end - offset), offset, form):
        if place + n_bytes > size:
            return None
        if tag == _SUB_DIRECTORIES:
            found += _offsets(form, _read(file, place, n_bytes), kind)
    return found


def _needed(directory: bytes, offset: int, form: _Form) -> Iterator[tuple[int, int, int, int]]:
    """Yield tag, type, length and place in the file of the values that the pixels hang on."""
    entry, pointer = _entry_bytes(form), form.size(form.offset)
    for start in range(form.size(form.n_tags), len(directory), entry):
        inline = start + entry - pointer
        tag, kind, count = form.numbers("HH" + form.offset, directory[start:inline])
        n_bytes = count * _BYTES_OF_TYPE.get(kind, 1)
        if tag in _NEEDED_TAGS:
            elsewhere = form.numbers(form.offset, directory[inline : start + entry])[0]
            yield tag, kind, n_bytes, offset + inline if n_bytes <= pointer else elsewhere


def _entry_bytes(form: _Form) -> int:
    return form.size("HH") + 2 * form.size(form.offset)


def _offsets(form: _Form, value: bytes, kind: int) -> tuple[int, ...]:
    letter = {8: "Q", 4: "I"}.get(_BYTES_OF_TYPE.get(kind, 1))
    return form.numbers(letter * (len(value) // form.size(letter)), value) if letter else ()


def _read(file: BinaryIO, offset: int, n_bytes: int) -> bytes:
    file.seek(offset)
    return file.read(n_bytes)
