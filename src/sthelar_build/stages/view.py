"""Make the images of the report's viewer: the H&E, and the DAPI image under it, as pyramids of tiles."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Annotated

from sthelar_build.io.atomic import published
from sthelar_build.io.images.he import open_he
from sthelar_build.io.images.morphology import open_morphology
from sthelar_build.io.images.viewer_images import (
    DapiOnHe,
    ReducedHe,
    dapi_range,
    finest_downsample,
)
from sthelar_build.io.provenance import provenance
from sthelar_build.io.records import MANIFEST, read_record, write_record
from sthelar_build.io.tile_files import write_tiles
from sthelar_build.io.transform import check_image_size, read_transform
from sthelar_build.options import InFile, OutFile, Threads, as_json
from sthelar_build.settings.view import ViewSettings

logger = logging.getLogger(__name__)

_CACHE_BYTES = 2**28
"""Every pixel is read once, square by square: only neighbours share tiles of the file."""


def run(
    he: InFile,
    xenium: InFile,
    bundle: InFile,
    transform: InFile,
    images: OutFile,
    settings: Annotated[ViewSettings, as_json(ViewSettings)],
    threads: Threads = 1,
) -> None:
    """Make the images of the report's viewer."""
    placed = read_transform(transform)
    facts = read_record(bundle, ("morphology",))
    downsample = finest_downsample(placed.he_um_per_px, settings.um_per_px)
    size = settings.tile_px, settings.quality, threads
    with (
        open_he(he, _CACHE_BYTES) as image,
        open_morphology(xenium / facts["morphology"]) as morphology,
        published(images) as draft,
    ):
        check_image_size(transform, placed, he, image.width_px, image.height_px)
        draft.mkdir()
        dapi = DapiOnHe(morphology, placed, downsample, dapi_range(morphology))
        levels = write_tiles(draft / "he", ReducedHe(image, downsample), *size)
        write_tiles(draft / "dapi", dapi, *size)
        record = {
            "width_he_px": image.width_px,
            "height_he_px": image.height_px,
            "he_um_per_px": placed.he_um_per_px,
            "downsample": downsample,
            "tile_px": settings.tile_px,
            "levels": [asdict(level) for level in levels],
        }
        source = provenance("view", settings, {"he": he, "bundle": bundle, "transform": transform})
        write_record(draft / MANIFEST, record, source)
    logger.info(
        "%d levels of tiles, the finest of %.3f um per px",
        len(levels),
        placed.he_um_per_px * downsample,
    )
