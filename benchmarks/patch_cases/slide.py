"""A slide of any size, as the stages leave it before its nuclei are drawn: H&E, transform, nuclei, labels, patches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
import tifffile
from numpy.typing import NDArray

from sthelar_build.io.images.he import open_he
from sthelar_build.io.provenance import provenance
from sthelar_build.io.tables import read_table, write_table
from sthelar_build.io.transform import Transform, write_transform
from sthelar_build.schema.frames import Affine, Frame
from sthelar_build.schema.labels import CLASSES
from sthelar_build.schema.tables import (
    CELLS,
    LABELS,
    METRICS,
    NUCLEI,
    PATCHES,
    SPLITS,
    TRANSCRIPTS,
)
from sthelar_build.settings.tile import TileSettings
from sthelar_build.stages import tile

SLIDE = "bench"
PIXEL_SIZE_UM, HE_UM_PER_PX = 0.2125, 0.25
SIDE_PX, STRIDE_PX = 256, 192
_TILE_PX, _JPEG_QUALITY, _VERTICES, _SMALLER = 256, 90, 24, 4
_GRID_PX = 34
"""Nuclei lie on a jittered grid so wide that none overlap: there the rules of all methods agree."""


@dataclass(frozen=True)
class PatchSlide:
    """Files of the slide."""

    folder: Path
    side_px: int

    def file(self, name: str) -> Path:
        """Return a file of the slide."""
        return self.folder / name


def make_slide(folder: Path, texture: Path, side_px: int, share: float, scale: str) -> PatchSlide:
    """Write the slide; ``texture`` is an H&E image that is repeated, ``share`` of the grid has nuclei."""
    folder.mkdir(parents=True, exist_ok=True)
    slide = PatchSlide(folder, side_px)
    _write_he(slide.file("he.tif"), texture, side_px)
    matrix = np.diag([HE_UM_PER_PX / PIXEL_SIZE_UM] * 2 + [1.0])
    placed = Affine(matrix, Frame.HE, Frame.MORPHOLOGY)
    write_transform(
        slide.file("transform.json"),
        Transform(placed, "identity", side_px, side_px, PIXEL_SIZE_UM, 0.0, 0.0, "pass"),
        provenance("benchmark"),
    )
    _write_nuclei(slide, share)
    nothing = TRANSCRIPTS.empty_table().to_pandas()
    write_table(slide.file("transcripts.parquet"), nothing, TRANSCRIPTS, provenance("benchmark"))
    tile.run(
        he=slide.file("he.tif"),
        transform=slide.file("transform.json"),
        transcripts=slide.file("transcripts.parquet"),
        scale=scale,
        patches=slide.file("patches.parquet"),
        settings=TileSettings(),
    )
    _write_tables(slide)
    return slide


def _write_he(path: Path, texture: Path, side_px: int) -> None:
    """Write a tiled JPEG TIFF of tiles that repeat, each encoded once, and a level four times smaller."""
    with open_he(texture) as image:
        per_side = min(image.width_px, image.height_px) // _TILE_PX
        period = image.read(0, 0, per_side * _TILE_PX, per_side * _TILE_PX)
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        file.write(_tiles(period, side_px), **_page(side_px, HE_UM_PER_PX), subifds=1)
        small = _tiles(period[::_SMALLER, ::_SMALLER], side_px // _SMALLER)
        page = _page(side_px // _SMALLER, HE_UM_PER_PX * _SMALLER)
        file.write(small, **page, subfiletype=1)


def _page(side_px: int, um_per_px: float) -> dict[str, Any]:
    return {
        "shape": (side_px, side_px, 3),
        "dtype": np.uint8,
        "tile": (_TILE_PX, _TILE_PX),
        "photometric": "ycbcr",
        "subsampling": (2, 2),
        "compression": "jpeg",
        "resolution": (1e4 / um_per_px, 1e4 / um_per_px),
        "resolutionunit": "CENTIMETER",
    }


def _tiles(period: NDArray[np.uint8], side_px: int) -> Iterator[bytes]:
    """Yield the tiles of an image that repeats ``period``."""
    across = -(-side_px // _TILE_PX)
    known: dict[tuple[int, int], bytes] = {}
    for row in range(across):
        for column in range(across):
            corner = row * _TILE_PX % len(period), column * _TILE_PX % len(period)
            if corner not in known:
                rows, columns = (np.arange(at, at + _TILE_PX) % len(period) for at in corner)
                known[corner] = _encoded(period[np.ix_(rows, columns)])
            yield known[corner]


def _encoded(tile: NDArray[np.uint8]) -> bytes:
    return imagecodecs.jpeg8_encode(
        tile, level=_JPEG_QUALITY, colorspace="RGB", outcolorspace="YCBCR", subsampling="420"
    )


def _write_nuclei(slide: PatchSlide, share: float) -> None:
    rng = np.random.default_rng(0)
    per_side = slide.side_px // _GRID_PX
    spots = np.flatnonzero(rng.random(per_side**2) < share)
    centre = np.stack([spots % per_side, spots // per_side], axis=1) * _GRID_PX + _GRID_PX / 2
    centre = centre + rng.uniform(-2, 2, centre.shape)
    angle = np.linspace(0, 2 * np.pi, _VERTICES, endpoint=False)
    radii = rng.uniform(8, 14, (2, len(spots), 1))
    ring = np.stack([radii[0] * np.cos(angle), radii[1] * np.sin(angle)], axis=-1)
    polygons = shapely.polygons((ring + centre[:, None]) * HE_UM_PER_PX)
    n = len(spots)
    nuclei = pd.DataFrame(
        {
            "nucleus_id": np.arange(1, n + 1, dtype=np.uint32),
            "cell_id": [f"cell{number}-1" for number in range(n)],
            "x_um": centre[:, 0] * HE_UM_PER_PX,
            "y_um": centre[:, 1] * HE_UM_PER_PX,
            "area_um2": shapely.area(polygons),
            "repaired": np.zeros(n, dtype=bool),
            "raster_label": None,
            "geometry": polygons,
        }
    )
    write_table(slide.file("nuclei.parquet"), nuclei, NUCLEI, provenance("benchmark"))


def _write_tables(slide: PatchSlide) -> None:
    """Write what else an export reads: labels, cells, metrics, splits."""
    cell_id = read_table(slide.file("nuclei.parquet"), NUCLEI, ["cell_id"])["cell_id"]
    n = len(cell_id)
    names = np.array([known.name for known in CLASSES], dtype=object)
    labels = pd.DataFrame(
        {
            "cell_id": cell_id,
            "final_label": names[np.random.default_rng(1).integers(0, len(names), n)],
            **dict.fromkeys(("label1", "label2"), "x"),
            "label3": "normal_cell",
            "confidence": np.float32(1),
            "decided_by": "agreement",
            "cluster": None,
        }
    )
    write_table(slide.file("labels.parquet"), labels, LABELS, provenance("benchmark"))
    cells = pd.DataFrame(
        {
            "cell_id": cell_id,
            "cell_number": np.arange(1, n + 1, dtype=np.uint32),
            **dict.fromkeys(("x_um", "y_um", "area_um2"), 0.0),
        }
    )
    _fill_and_write(slide.file("cells.parquet"), cells, CELLS)
    patch_id = read_table(slide.file("patches.parquet"), PATCHES, ["patch_id"])["patch_id"]
    metrics = pd.DataFrame({"patch_id": patch_id, "Dice": 0.8, "Jaccard": 0.7, "bPQ": 0.5})
    _fill_and_write(slide.file("metrics.parquet"), metrics, METRICS)
    splits = pd.DataFrame({"slide": SLIDE, "patch_id": patch_id, "split": "train", "reason": None})
    write_table(slide.file("splits.parquet"), splits, SPLITS, provenance("benchmark"))


def _fill_and_write(path: Path, table: pd.DataFrame, schema: pa.Schema) -> None:
    """Write a table whose other columns do not matter: nothing, or zero."""
    for field in schema:
        if field.name not in table:
            fill = None if field.nullable else np.zeros(len(table), field.type.to_pandas_dtype())
            table[field.name] = fill
    write_table(path, table[schema.names], schema, provenance("benchmark"))
