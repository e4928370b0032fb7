"""For the two sources of masks: a turned slide whose outlines follow the pixels of its raster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio.features
import shapely
import zarr
from numpy.typing import NDArray

from slides.turned_slide import (
    PIXEL_SIZE_UM,
    SIDE_UM,
    UM_TO_MORPHOLOGY,
    TurnedSlide,
    drawn,
    he_side_px,
    make_turned_slide,
    nuclei_frame,
    turned_matrix,
)
from sthelar_build.io.provenance import provenance
from sthelar_build.io.tables import write_table
from sthelar_build.io.transform import Transform, write_transform
from sthelar_build.io.xenium.bundle import CELLS_ZARR
from sthelar_build.schema.tables import NUCLEI

STRANGER = 5
"""A label of the raster that is no nucleus of the table: those have 10, 13, 16, ..."""


@dataclass(frozen=True)
class PixelSlide:
    """Files of the slide, and its raster."""

    turned: TurnedSlide
    raster: NDArray[np.uint32]

    @property
    def nuclei_table(self) -> Path:
        return self.turned.folder / "pixel_nuclei.parquet"

    @property
    def labels(self) -> Path:
        return self.turned.labels

    @property
    def xenium(self) -> Path:
        return self.turned.xenium

    @property
    def transform(self) -> Path:
        return self.turned.folder / "transform.json"


def make_pixel_slide(folder: Path, degrees: float = 200.0) -> PixelSlide:
    turned = make_turned_slide(folder, turned_matrix(degrees))
    instances = drawn(turned, UM_TO_MORPHOLOGY, round(SIDE_UM / PIXEL_SIZE_UM))
    raster = np.where(instances > 0, instances * 3 + 7, 0).astype(np.uint32)
    corner = raster[:20, :20]
    corner[corner == 0] = STRANGER
    slide = PixelSlide(turned, raster)
    _write_nuclei(slide, instances)
    write_raster(slide.xenium / CELLS_ZARR, raster)
    side_px = he_side_px()
    placed = Transform(turned.he_to_morphology, "matrix", side_px, side_px, PIXEL_SIZE_UM)
    write_transform(slide.transform, placed, provenance("test"))
    return slide


def write_raster(path: Path, raster: NDArray[np.uint32]) -> None:
    """Write a cell store that holds the nucleus raster and nothing else, in chunks of 256 px."""
    with zarr.storage.ZipStore(path, mode="w") as store:
        group = zarr.open_group(store, mode="w", zarr_format=2)
        group.create_array("masks/0", data=raster, chunks=(256, 256))


def _write_nuclei(slide: PixelSlide, instances: NDArray[np.uint32]) -> None:
    """Write the outlines of the raster's labels, along pixel edges; a nucleus that no pixel shows has none."""
    outlines = rasterio.features.shapes(instances.astype(np.int32), mask=instances > 0)
    parts: dict[int, list[shapely.Geometry]] = {}
    for outline, number in outlines:
        parts.setdefault(int(number), []).append(shapely.geometry.shape(outline))
    ids = np.array(sorted(parts))
    pixels = np.array([shapely.union_all(parts[number]) for number in ids])
    um = UM_TO_MORPHOLOGY.inverse().apply_to_geometries(pixels)
    owners = slide.turned.nuclei.set_index("nucleus_id").cell_id
    table = nuclei_frame(um).assign(
        cell_id=owners.loc[ids].to_numpy(), raster_label=(ids * 3 + 7).astype(np.uint32)
    )
    write_table(slide.nuclei_table, table, NUCLEI, provenance("test"))
