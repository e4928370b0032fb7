"""The pixel size that an image file states, in whichever of the usual places."""

from __future__ import annotations

import math
import re
from typing import Any
from xml.etree import ElementTree

from tifffile import TiffFile

BELIEVABLE_UM_PER_PX = (0.02, 10.0)
"""Screen resolutions (72 dpi = 353 um/px) stand in many files that no one measured."""
_UM = {"µm": 1.0, "μm": 1.0, "um": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6, "Å": 1e-4}
_UM_OF_IMAGEJ = {**_UM, "micron": 1.0, "microns": 1.0, "\\u00B5m": 1.0}
_UM_PER_RESOLUTION_UNIT = {2: 25400.0, 3: 10000.0}


def stated_um_per_px(file: TiffFile, page: Any = None) -> float | None:
    """Return the first believable pixel size that the file states: OME, Aperio, ImageJ, then the TIFF tags.

    ``page`` is the one that holds the slide; the first one unless it is given.
    """
    page = page or file.pages.first
    stated = (
        _ome_um_per_px(file),
        _aperio_um_per_px(page),
        _imagej_um_per_px(file, page),
        _tiff_um_per_px(page),
    )
    return next((size for size in map(believable, stated) if size is not None), None)


def believable(stated: Any) -> float | None:
    """Return a pixel size in um, given as a number or text, if a scanner can have it; else None.

    >>> believable("0.25"), believable(352.8), believable("unknown"), believable(None)
    (0.25, None, None, None)
    """
    try:
        size = float(stated)
    except (TypeError, ValueError):
        return None
    smallest, largest = BELIEVABLE_UM_PER_PX
    return size if smallest <= size <= largest else None


def _ome_um_per_px(file: TiffFile) -> float | None:
    if not file.is_ome or not file.ome_metadata:
        return None
    try:
        root = ElementTree.fromstring(file.ome_metadata)
    except ElementTree.ParseError:
        return None
    images = root.findall(".//{*}Pixels")
    if not images:
        return None
    pixels = max(images, key=lambda image: _number(image.get("SizeX")))
    unit = _UM.get(pixels.get("PhysicalSizeXUnit", "µm"), math.nan)
    return _number(pixels.get("PhysicalSizeX")) * unit


def _aperio_um_per_px(page: Any) -> float | None:
    found = re.search(r"\bMPP\s*=\s*([0-9.]+)", page.description or "")
    return _number(found[1]) if found else None


def _imagej_um_per_px(file: TiffFile, page: Any) -> float | None:
    said = (file.imagej_metadata or {}) if file.is_imagej else {}
    unit = _UM_OF_IMAGEJ.get(str(said.get("unit")))
    per_unit = _pixels_per_unit(page)
    return unit / per_unit if unit and per_unit else None


def _tiff_um_per_px(page: Any) -> float | None:
    unit = _UM_PER_RESOLUTION_UNIT.get(page.tags.valueof("ResolutionUnit", default=1))
    per_unit = _pixels_per_unit(page)
    return unit / per_unit if unit and per_unit else None


def _pixels_per_unit(page: Any) -> float | None:
    above, below = page.tags.valueof("XResolution", default=(0, 1))
    return above / below if below else None


def _number(text: str | None) -> float:
    """Return nan for what is no number."""
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan
