"""What this project does with the slide: the stage ``rasterise``, then one walk over the patches."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from patch_cases.slide import SLIDE, PatchSlide
from sthelar_build.exporters import cellvit, sthelar
from sthelar_build.io.patch_classes import PatchClasses
from sthelar_build.io.patch_stream import PatchSource, SlideFiles, common_side_px, patch_table
from sthelar_build.io.slide_patches import Patch
from sthelar_build.io.zips import Entry, zip_writer
from sthelar_build.settings.export import ExportSettings
from sthelar_build.settings.rasterise import RasteriseSettings
from sthelar_build.stages import rasterise


def draw(slide: PatchSlide, threads: int) -> None:
    """Draw the nuclei of all patches; slivers too, as the plain loop does."""
    rasterise.run(
        nuclei=slide.file("nuclei.parquet"),
        labels=slide.file("labels.parquet"),
        transform=slide.file("transform.json"),
        patches=slide.file("patches.parquet"),
        masks=slide.file("masks"),
        settings=RasteriseSettings(compared_patches=0, min_visible_px=1),
        threads=threads,
    )


def source_of(slide: PatchSlide) -> PatchSource:
    """Return the complete patches of the slide."""
    files = SlideFiles(
        slide=SLIDE,
        tissue="Breast",
        he=slide.file("he.tif"),
        patches=slide.file("patches.parquet"),
        masks=slide.file("masks") / "manifest.json",
        metrics=slide.file("metrics.parquet"),
        nuclei=slide.file("nuclei.parquet"),
        cells=slide.file("cells.parquet"),
        labels=slide.file("labels.parquet"),
    )
    table = patch_table(files.patches, files.masks, files.metrics)
    table = table[table["complete"]].assign(split="train")
    return PatchSource([files], [table], common_side_px([files.patches]))


def write(slide: PatchSlide, out: Path, threads: int) -> None:
    """Write images, labels and cell numbers of all patches."""
    source, settings = source_of(slide), ExportSettings()
    classes = PatchClasses(source, settings.grouping)
    pack = partial(_entries, settings, classes, source.cell_numbers(SLIDE))
    out.mkdir()
    with (
        zip_writer(out / "images.zip") as images,
        zip_writer(out / "labels.zip") as labels,
        zip_writer(out / "cells.zip") as cells,
    ):
        for _, (image, label, cell_map) in source.each(pack, threads):
            images.append(image)
            labels.append(label)
            cells.append(cell_map)


def _entries(
    settings: ExportSettings, classes: PatchClasses, cell_of: NDArray[np.uint32], patch: Patch
) -> tuple[Entry, Entry, Entry]:
    image, label = cellvit.entries(settings, classes, patch)
    return image, label, sthelar.cell_map_entry(patch, cell_of, settings.deflate_level)
