"""Pyramidal, tiled OME-TIFF files, as the instrument and the slide scanner write them; the same image gives the same bytes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import quoteattr

import numpy as np
import tifffile
from numpy.typing import NDArray

from sthelar_build.core.simulation.mosaic_image import MosaicImage
from sthelar_build.io.mosaic_tiles import mosaic_tiles

Compression = Literal["jpeg2000", "jpeg", "deflate"]
"""How tiles are stored: jpeg2000 and deflate lose nothing, jpeg is for RGB."""

Image = NDArray[np.uint8] | NDArray[np.uint16]

_JPEG_QUALITY = 90
_SOFTWARE = "sthelar_build"
_BIG_TIFF_FROM_BYTES = 2**31
_ROWS_AT_A_TIME = 2048
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://www.openmicroscopy.org/Schemas/OME/2016-06")
_SCHEMA = "http://www.openmicroscopy.org/Schemas/OME/2016-06"


@dataclass(frozen=True)
class ImageFiles:
    """One image kept as one file per channel: the files name each other in their OME-XML."""

    names: tuple[str, ...]
    """File name of every channel, in channel order; all lie in one folder."""


def write_ome_tiff(
    path: Path,
    image: Image | MosaicImage,
    um_per_px: float,
    *,
    channel_names: Sequence[str],
    compression: Compression = "jpeg2000",
    tile_px: int = 1024,
    levels: int = 5,
    files: ImageFiles | None = None,
) -> None:
    """Write one plane as a tiled OME-TIFF with its pyramid in SubIFDs.

    Parameters
    ----------
    path
        The file to write.
    image
        (y, x) uint16, or (y, x, 3) uint8 RGB; a mosaic is written tile by tile.
    um_per_px
        Size of a level-0 pixel; stands in PhysicalSizeX/Y and in the resolution tags of every level.
    channel_names
        Name of the one channel of this file (any one name for RGB); with ``files``, of all channels.
    compression
        jpeg2000 (TIFF compression 34712, reversible), jpeg (quality 90, RGB only), or deflate.
    tile_px
        Side of a tile, a multiple of 16.
    levels
        Pyramid levels, level 0 included; each halves the one before by the mean of 2 x 2 pixels.
        There are fewer when a level would have no pixel.
    files
        The files of a multi-file image, ``path.name`` among them.

    Notes
    -----
    There is no time stamp, and the UUID is derived from the names and the shape. Only one level
    beyond ``image`` is held in memory at a time.
    """
    options = _tile_options(image, compression, tile_px)
    n_levels = _possible_levels(image.shape, levels)
    head: dict[str, Any] = {
        "description": _ome_xml(path.name, image, um_per_px, channel_names, files),
        "subifds": n_levels - 1,
    }
    with tifffile.TiffWriter(path, bigtiff=image.nbytes > _BIG_TIFF_FROM_BYTES) as tiff:
        for level in range(n_levels):
            image = _next_level(image) if level else image
            per_cm = 1e4 / (um_per_px * 2**level)
            pixels = _pixels(image, options)
            tiff.write(**pixels, resolution=(per_cm, per_cm), **options, **head)
            head = {"subfiletype": 1}


def _next_level(image: Image | MosaicImage) -> Image | MosaicImage:
    return image.smaller(halve) if isinstance(image, MosaicImage) else halve(image)


def _pixels(image: Image | MosaicImage, options: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(image, MosaicImage):
        return {"data": image}
    tiles = mosaic_tiles(image, options)
    return {"data": tiles, "shape": image.shape, "dtype": image.dtype}


def halve(image: Image) -> Image:
    """Return the image at half size: the mean of each 2 x 2 pixels, halves rounded up.

    A last odd row or column is left out, so that level k is exactly 2**k times smaller per pixel.
    Works on bands of rows: the sums of the whole image are never in memory.
    """
    height_px, width_px = image.shape[0] // 2, image.shape[1] // 2
    small = np.empty((height_px, width_px, *image.shape[2:]), dtype=image.dtype)
    for top in range(0, height_px, _ROWS_AT_A_TIME):
        bottom = min(top + _ROWS_AT_A_TIME, height_px)
        band = image[2 * top : 2 * bottom, : 2 * width_px].astype(np.uint32)
        sums = band[0::2, 0::2] + band[1::2, 0::2] + band[0::2, 1::2] + band[1::2, 1::2]
        small[top:bottom] = (sums + 2) // 4
    return small


def _possible_levels(shape: tuple[int, ...], levels: int) -> int:
    return max(1, min(levels, min(shape[:2]).bit_length()))


def _tile_options(
    image: Image | MosaicImage, compression: Compression, tile_px: int
) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "jpeg2000": {"reversible": True, "level": 0},
        "jpeg": {"level": _JPEG_QUALITY},
        "deflate": {"level": 6},
    }[compression]
    return {
        "photometric": "rgb" if len(image.shape) == 3 else "minisblack",
        "tile": (tile_px, tile_px),
        "compression": compression,
        "compressionargs": arguments,
        "predictor": compression == "deflate",
        "resolutionunit": "CENTIMETER",
        "software": _SOFTWARE,
        "metadata": None,
    }


def _ome_xml(
    name: str,
    image: Image | MosaicImage,
    um_per_px: float,
    channel_names: Sequence[str],
    files: ImageFiles | None,
) -> str:
    names = files.names if files else (name,)
    samples = image.shape[2] if len(image.shape) == 3 else 1
    size_c = samples if samples > 1 else len(names)
    channels = "".join(
        f'<Channel ID="Channel:{index}" Name={quoteattr(channel)} SamplesPerPixel="{samples}"/>'
        for index, channel in enumerate(channel_names)
    )
    planes = "".join(
        f'<TiffData FirstC="{index}" FirstT="0" FirstZ="0" IFD="0" PlaneCount="1">'
        f"<UUID FileName={quoteattr(file)}>{_uuid(file, image.shape)}</UUID></TiffData>"
        for index, file in enumerate(names)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<OME xmlns="{_SCHEMA}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="{_SCHEMA} {_SCHEMA}/ome.xsd" '
        f'Creator="{_SOFTWARE}" UUID="{_uuid(name, image.shape)}">'
        f'<Image ID="Image:0" Name="Image0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" '
        f'Type="{image.dtype}" SizeX="{image.shape[1]}" SizeY="{image.shape[0]}" '
        f'SizeC="{size_c}" SizeZ="1" SizeT="1" '
        f'PhysicalSizeX="{um_per_px!r}" PhysicalSizeXUnit="&#181;m" '
        f'PhysicalSizeY="{um_per_px!r}" PhysicalSizeYUnit="&#181;m">'
        f"{channels}{planes}</Pixels></Image></OME>"
    )


def _uuid(file_name: str, shape: tuple[int, ...]) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, f'{file_name} {shape}')}"
