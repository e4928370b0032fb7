"""The pixel size that an image file states, in whichever of the usual places."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

from tifffile import TiffFile

_PLAUSIBLE_UM_PER_PX = (0.02, 10.0)
"""Screen resolutions (72 dpi = 353 um/px) stand in many files that no one measured."""
_UM = {"µm": 1.0, "um": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6, "Å": 1e-4}
_UM_PER_RESOLUTION_UNIT = {2: 25400.0, 3: 10000.0}


def stated_um_per_px(file: TiffFile) -> float | None:
    """Return the first plausible pixel size that the file states: OME, Aperio, then the TIFF tags."""
    for size in (_ome_um_per_px(file), _aperio_um_per_px(file), _tiff_um_per_px(file)):
        if size is not None and _PLAUSIBLE_UM_PER_PX[0] <= size <= _PLAUSIBLE_UM_PER_PX[1]:
            return size
    return None


def _ome_um_per_px(file: TiffFile) -> float | None:
    if not file.is_ome or not file.ome_metadata:
        return None
    try:
        root = ElementTree.fromstring(file.ome_metadata)
    except ElementTree.ParseError:
        return None
    pixels = root.find(".//{*}Pixels")
    size = None if pixels is None else pixels.get("PhysicalSizeX")
    if pixels is None or size is None:
        return None
    return float(size) * _UM.get(pixels.get("PhysicalSizeXUnit", "µm"), math.nan)


def _aperio_um_per_px(file: TiffFile) -> float | None:
    found = re.search(r"\bMPP\s*=\s*([0-9.]+)", file.pages[0].description or "")
    return float(found[1]) if found else None


def _tiff_um_per_px(file: TiffFile) -> float | None:
    tags = file.pages[0].tags
    unit = _UM_PER_RESOLUTION_UNIT.get(int(tags.valueof("ResolutionUnit", default=1)))
    above, below = tags.valueof("XResolution", default=(0, 1))
    return unit * below / above if unit and above else None
