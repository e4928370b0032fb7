"""Which reader a folder asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sthelar_build.errors import InputError
from sthelar_build.io.patch_readers.cellvit import CellvitPatches
from sthelar_build.io.patch_readers.huggingface import HuggingfacePatches
from sthelar_build.io.patch_readers.pannuke import PannukePatches
from sthelar_build.io.patch_readers.reader import PatchReader

READERS: dict[str, tuple[str, Callable[[Path], PatchReader]]] = {
    "cellvit": ("labels.zip", CellvitPatches),
    "pannuke": ("*.npz", PannukePatches),
    "huggingface": ("data/*.parquet", HuggingfacePatches),
}
"""Format -> a file that it alone has, and its reader; first what is read fastest at random."""


def open_patches(folder: Path, format: str | None = None) -> PatchReader:
    """Open the patches of a dataset.

    Parameters
    ----------
    folder
        ``results/dataset/{scale}``, or the folder of one format in it.
    format
        One of ``READERS``; None takes the first that is there.
    """
    if format is not None and format not in READERS:
        raise InputError(
            f"format: expected one of {', '.join(READERS)}, found {format!r}; export one of these"
        )
    for name in [format] if format else READERS:
        mark, reader = READERS[name]
        for place in (folder / name, folder):
            if any(place.glob(mark)):
                return reader(place)
    raise InputError(
        f"{folder}: expected a dataset in the format {format or ' or '.join(READERS)}, found none; "
        "name results/dataset/{scale}, or one of its folders"
    )
