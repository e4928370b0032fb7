"""Put everything of a slide into one SpatialData store."""

from __future__ import annotations

from itertools import chain
from typing import Annotated

from sthelar_build.io.atomic import published
from sthelar_build.io.images.pyramids import (
    morphology_files,
    open_he_pyramid,
    open_morphology_pyramid,
)
from sthelar_build.io.provenance import provenance
from sthelar_build.io.records import read_record
from sthelar_build.io.slide_attributes import slide_attributes
from sthelar_build.io.slide_elements import (
    correction_elements,
    image_elements,
    outline_elements,
    patch_elements,
    point_elements,
)
from sthelar_build.io.slide_tables import ObjectFiles, count_tables, feature_tables
from sthelar_build.io.spatial import SlideFrames, write_store, zip_store
from sthelar_build.io.transform import read_transform
from sthelar_build.options import (
    InFile,
    InFiles,
    MaybeInFile,
    MaybeInFiles,
    MaybeWords,
    OutFile,
    Threads,
    Word,
    Words,
    as_json,
    in_step,
)
from sthelar_build.schema import elements
from sthelar_build.schema.words import XENIUM
from sthelar_build.settings.assemble import AssembleSettings


def run(
    xenium: InFile,
    he: InFile,
    bundle: InFile,
    transform: InFile,
    nuclei: InFile,
    cells: InFile,
    transcripts: InFile,
    counts_nuclei: InFile,
    counts_cells: InFile,
    clusters_nuclei: InFile,
    clusters_cells: InFile,
    clusters_combined: InFile,
    tangram_nuclei: InFile,
    tangram_cells: InFile,
    labels: InFile,
    scale: Words,
    patches: InFiles,
    metrics: InFiles,
    slide: Word,
    store: OutFile,
    settings: Annotated[AssembleSettings, as_json(AssembleSettings)],
    clusters_scvi: MaybeInFile = None,
    model: MaybeWords = None,
    features: MaybeInFiles = None,
    threads: Threads = 1,
) -> None:
    """Put everything of a slide into one SpatialData store."""
    facts = read_record(bundle, ("morphology", "channels", "pixel_size_um"))
    registered = read_transform(transform)
    frames = SlideFrames(registered.he_to_morphology, facts["pixel_size_um"])
    grids = in_step(scale=scale, patches=patches, metrics=metrics)
    described = in_step(model=model or [], features=features or [])
    shapes = outline_elements(nuclei, cells, frames) | patch_elements(grids, frames)
    by_table = {
        elements.NUCLEUS_TABLE: ObjectFiles(counts_nuclei, clusters_nuclei, tangram_nuclei),
        elements.CELL_TABLE: ObjectFiles(counts_cells, clusters_cells, tangram_cells),
        elements.COMBINED_TABLE: ObjectFiles(counts_cells, clusters_combined, tangram_cells),
    }
    if clusters_scvi:
        by_table[elements.SCVI_TABLE] = ObjectFiles(counts_cells, clusters_scvi, tangram_cells)
    cell_region = elements.CELL_SHAPES if elements.CELL_SHAPES in shapes else None
    inputs = {
        "he": he,
        "bundle": bundle,
        "transform": transform,
        "nuclei": nuclei,
        "cells": cells,
        "transcripts": transcripts,
        "counts_nuclei": counts_nuclei,
        "counts_cells": counts_cells,
        "clusters_nuclei": clusters_nuclei,
        "clusters_cells": clusters_cells,
        "clusters_combined": clusters_combined,
        "clusters_scvi": clusters_scvi,
        "tangram_nuclei": tangram_nuclei,
        "tangram_cells": tangram_cells,
        "labels": labels,
        **{f"patches_{name}": path for name, path, _ in grids},
        **{f"metrics_{name}": path for name, _, path in grids},
        **{f"features_{name}": path for name, path in described},
    }
    nuclei_source = facts.get("nuclei_source", XENIUM)
    origin = provenance("assemble", settings, inputs)
    attributes = slide_attributes(slide, registered, nuclei_source, origin)
    channel_files = morphology_files(xenium / facts["morphology"])
    with (
        open_he_pyramid(he, settings.chunk_px) as he_levels,
        open_morphology_pyramid(channel_files, settings.chunk_px) as levels,
        published(store) as draft,
    ):
        pictures = image_elements(he_levels, levels, facts["channels"], frames)
        pictures |= correction_elements(registered.correction, frames)
        parts = chain(
            pictures.items(),
            point_elements(transcripts, frames).items(),
            shapes.items(),
            count_tables(by_table, labels, cell_region, slide),
            feature_tables(described, draft),
        )
        write_store(draft, parts, attributes, threads)
    zipped = store.with_name(f"{store.name}.zip")
    zipped.unlink(missing_ok=True)
    if settings.zip:
        zip_store(store, zipped)
