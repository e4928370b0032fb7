"""How much disk the results of slides take, about: from the size of their raw files.

Fitted to the toy run (25 million pixels of H&E, 1.5 million transcripts, 8,580 cells); real slides compress differently.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from sthelar_build.needs import RawSize


class _Each(NamedTuple):
    """Megabytes for every thousand cells, million transcripts, and million pixels of the H&E at its full size."""

    kcells: float
    mtranscripts: float
    he_mpx: float


_SLIDE = _Each(6.0, 45.0, 5.0)
"""Tables and SpatialData store: its images are not compressed as much as the raw ones."""
_AT_A_SCALE = _Each(0.5, 0.0, 2.0)
"""Masks and predictions."""
_PATCH_FORMATS = {
    "pannuke": 3.0,
    "sthelar": 2.5,
    "cellvit": 2.0,
    "cellvit_plus": 10.0,
    "huggingface": 2.0,
}
"""Megabytes for every million pixels."""
_SLIDE_FORMATS = {
    "qupath": _Each(1.0, 0.0, 0.0),
    "explorer": _Each(0.1, 0.0, 0.0),
    "hest": _Each(1.0, 5.0, 2.5),
    "stimage": _Each(0.1, 0.2, 0.1),
}
_AREA = {"native": 1.0, "native/2": 0.25}


def disk_mb(size: RawSize, scales: Mapping[str, str], formats: Collection[str]) -> float:
    """Return the megabytes that all results of slides of this size take together.

    ``scales`` are those of the configuration (name -> native, native/2, or um per px, which counts as native).
    """
    area = sum(_AREA.get(scale, 1.0) for scale in scales.values())
    patches = sum(_PATCH_FORMATS.get(name, 0.0) for name in formats)
    total = _mb(_SLIDE, size) + area * (_mb(_AT_A_SCALE, size) + patches * size.he_mpx)
    return total + sum(
        _mb(_SLIDE_FORMATS[name], size) for name in formats if name in _SLIDE_FORMATS
    )


def _mb(each: _Each, size: RawSize) -> float:
    return (
        each.kcells * size.kcells
        + each.mtranscripts * size.mtranscripts
        + each.he_mpx * size.he_mpx
    )
