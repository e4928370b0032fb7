"""What lies in and beside a Xenium output folder: the bundle, the H&E, the alignment; only what is unambiguous is taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sthelar_build.errors import InputError
from sthelar_build.io.alignment import read_alignment
from sthelar_build.io.images.he import check_size, open_he
from sthelar_build.io.images.vendor_slide import SUFFIXES
from sthelar_build.io.xenium.bundle import SPECIFICATION

_IMAGES = (".tif", ".tiff", ".btf", ".svs", *SUFFIXES)
_HE = re.compile(r"(?<![a-z])(h[&_-]?e|hande|ha?ematoxylin)(?![a-z])", re.IGNORECASE)
_OTHER = re.compile(
    r"^morphology|(?<![a-z])(if|dapi|label|macro|thumbnail)(?![a-z])", re.IGNORECASE
)
"""Names of images that are no H&E, and of what belongs to them."""
_ALIGNMENT = re.compile(r"align|keypoint", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """A file, if there is one that is meant beyond doubt."""

    path: Path | None
    others: tuple[Path, ...] = ()
    """What else could be meant."""
    refused: tuple[str, ...] = ()
    """Why others that are called so cannot be, in one line each."""


def find_bundle(folder: Path) -> Path:
    """Return the folder of the bundle: this one, or the one below it that is; InputError for none or several."""
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing"
        raise InputError(
            f"{folder}: expected a Xenium output folder, found {found}; check the path"
        )
    if (folder / SPECIFICATION).is_file():
        return folder
    below = sorted(
        {path.parent for depth in ("*", "*/*") for path in folder.glob(f"{depth}/{SPECIFICATION}")}
    )
    if len(below) == 1:
        return below[0]
    found = ", ".join(path.name for path in below[:5]) or "none"
    remedy = "give one of them" if below else "give the folder that holds it"
    raise InputError(
        f"{folder}: expected one Xenium bundle (a folder with {SPECIFICATION}), found {found}; {remedy}"
    )


def find_he(places: Sequence[Path], bundle: str) -> Found:
    """Return the H&E: the one image of the nearest place that is called so; else the one image that can be one."""
    for place in places:
        images = [path for path in _files(place, _IMAGES) if not _OTHER.search(path.name)]
        named = [path for path in images if _HE.search(path.name)]
        usable, refused = _usable(named or images, _check_he)
        if usable or refused:
            return _one(usable, refused, bundle)
    return Found(None)


def find_alignment(places: Sequence[Path], bundle: str) -> Found:
    """Return the alignment of the nearest place that has any.

    An Explorer zip goes before a matrix, that before keypoints: an export holds them all, and they say the same.
    """
    for place in places:
        files = [path for path in _files(place, (".csv", ".zip")) if _ALIGNMENT.search(path.name)]
        files = [path for path in files if not _OTHER.search(path.name)]
        usable, refused = _usable(files, read_alignment)
        if usable:
            best = min(map(_rank, usable))
            first = [path for path in usable if _rank(path) == best]
            found = _one(first, refused, bundle)
            rest = tuple(path for path in usable if path not in first)
            return Found(found.path, found.others + rest, found.refused)
    return Found(None)


def _files(place: Path, endings: Sequence[str]) -> list[Path]:
    return sorted(
        path
        for path in place.iterdir()
        if path.is_file() and path.suffix.lower() in endings and not path.name.startswith(".")
    )


def _usable(
    paths: Sequence[Path], check: Callable[[Path], object]
) -> tuple[list[Path], tuple[str, ...]]:
    """Return the files that can be read, and why the others cannot."""
    usable, refused = [], []
    for path in paths:
        try:
            check(path)
        except InputError as error:
            refused.append(str(error))
        else:
            usable.append(path)
    return usable, tuple(refused)


def _check_he(path: Path) -> None:
    with open_he(path) as image:
        check_size(path, image)


def _rank(alignment: Path) -> int:
    """Return 0 for a zip of Xenium Explorer, 1 for a matrix, 2 for keypoints."""
    if alignment.suffix.lower() == ".zip":
        return 0
    return 1 if read_alignment(alignment).matrix else 2


def _one(usable: list[Path], refused: tuple[str, ...], bundle: str) -> Found:
    """Return the only file; of several the only one that begins as the bundle is called."""
    stem = bundle.removesuffix("_outs")
    own = [path for path in usable if stem and path.name.startswith(stem)]
    chosen = next((c[0] for c in (usable, own) if len(c) == 1), None)
    return Found(chosen, tuple(path for path in usable if path != chosen), refused)
