"""Zip archives of others: looked through before anything is read, and read no further than they should go.

Nothing is ever extracted to disk.
"""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from sthelar_build.errors import InputError, first_line

BROKEN = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    EOFError, NotImplementedError, OSError, OverflowError, RuntimeError, ValueError,
)  # fmt: skip
"""What reading a damaged, encrypted or outlandish archive raises."""
_ENCRYPTED = 1
_AGAIN = "copy or export it again"


@contextmanager
def foreign_zip(path: Path, most_bytes: int) -> Iterator[zipfile.ZipFile]:
    """Open an archive whose members may each expand to ``most_bytes``.

    InputError if it is none, if a member is encrypted, declares more, or has a name that leaves the archive's folder.
    """
    try:
        archive = zipfile.ZipFile(path)
    except BROKEN as error:
        found = "a broken one or another file" if path.is_file() else "none"
        raise InputError(f"{path}: expected a zip archive, found {found}; {_AGAIN}") from error
    with archive:
        for member in archive.infolist():
            _check(path, member, most_bytes)
        yield archive


def read_member(path: Path, archive: zipfile.ZipFile, name: str, most_bytes: int) -> bytes:
    """Return a member; InputError if it is damaged, or holds more than ``most_bytes``, whatever it declares."""
    try:
        with archive.open(name) as file:
            content = file.read(most_bytes + 1)
    except BROKEN as error:
        raise InputError(
            f"{path}: expected to read {name}, found it damaged ({first_line(error)}); {_AGAIN}"
        ) from error
    if len(content) > most_bytes:
        raise InputError(f"{path}: expected {name} of {most_bytes} bytes at most, found more")
    return content


def _check(path: Path, member: zipfile.ZipInfo, most_bytes: int) -> None:
    name = member.filename
    if PurePosixPath(name).is_absolute() or ".." in name.split("/") or "\\" in name or ":" in name:
        raise InputError(
            f"{path}: expected names inside the archive, found {name!r}, which leads out of it; {_AGAIN}"
        )
    if member.flag_bits & _ENCRYPTED:
        raise InputError(
            f"{path}: expected members that can be read, found {name} encrypted; export it without password"
        )
    if member.file_size > most_bytes:
        raise InputError(
            f"{path}: expected members of {most_bytes} bytes at most, found {name} of {member.file_size} bytes; {_AGAIN}"
        )
