"""Zip archives that are the same, byte for byte, whenever and wherever they are written."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_UNIX = 3
_RW_R_R = 0o644 << 16


class ZipWriter:
    """Adds entries in the order given, all dated 1980-01-01; see ``zip_writer``."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names: set[str] = set()

    def add(self, name: str, content: bytes, *, compress: bool) -> None:
        """Add an entry; ValueError if there is one of this name. PNG gains nothing from ``compress``."""
        if name in self._names:
            raise ValueError(
                f"{self._archive.filename}: expected every name once, got {name} twice"
            )
        self._names.add(name)
        entry = zipfile.ZipInfo(name)
        entry.create_system = _UNIX
        entry.external_attr = _RW_R_R
        method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
        self._archive.writestr(entry, content, compress_type=method)


@contextmanager
def zip_writer(path: Path) -> Iterator[ZipWriter]:
    """Open a new archive, of any size; the caller publishes it."""
    with zipfile.ZipFile(path, "x", allowZip64=True) as archive:
        yield ZipWriter(archive)
