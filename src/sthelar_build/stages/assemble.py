"""Put everything of a slide into one SpatialData store."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated, NamedTuple

import pandas as pd
from anndata import AnnData

from sthelar_build.core.object_table import LABEL_COLUMNS, object_table, summed_over_nuclei
from sthelar_build.errors import InputError
from sthelar_build.io.atomic import published
from sthelar_build.io.counts import read_h5ad
from sthelar_build.io.features import copy_matrix, read_described
from sthelar_build.io.images.pyramids import (
    morphology_files,
    open_he_pyramid,
    open_morphology_pyramid,
)
from sthelar_build.io.lazy_transcripts import lazy_transcripts
from sthelar_build.io.provenance import provenance
from sthelar_build.io.records import read_record
from sthelar_build.io.scores import read_scores
from sthelar_build.io.slide_attributes import slide_attributes
from sthelar_build.io.slide_elements import (
    correction_elements,
    image_elements,
    outline_elements,
    patch_elements,
)
from sthelar_build.io.spatial import (
    SlideFrames,
    linked_table,
    points_element,
    write_store,
    zip_store,
)
from sthelar_build.io.tables import read_table
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
from sthelar_build.schema.frames import Frame
from sthelar_build.schema.tables import LABELS
from sthelar_build.schema.words import XENIUM
from sthelar_build.settings.assemble import AssembleSettings

logger = logging.getLogger(__name__)


class _Annotation(NamedTuple):
    """The files that describe one kind of object."""

    counts: Path
    clusters: Path
    tangram: Path


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
    points = points_element(
        lazy_transcripts(transcripts), "feature_name", "cell_id", frames.transformations(Frame.UM)
    )
    count_tables = _tables(
        _Annotation(counts_nuclei, clusters_nuclei, tangram_nuclei),
        _Annotation(counts_cells, clusters_cells, tangram_cells),
        _Annotation(counts_cells, clusters_combined, tangram_cells),
        _Annotation(counts_cells, clusters_scvi, tangram_cells) if clusters_scvi else None,
        labels,
        elements.CELL_SHAPES if elements.CELL_SHAPES in shapes else None,
        slide,
    )
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
        images = image_elements(he_levels, levels, facts["channels"], frames)
        correction = correction_elements(registered.correction, frames)
        named = {**images, **correction, elements.TRANSCRIPT_POINTS: points, **shapes}
        tables = chain(count_tables, _feature_tables(described, draft))
        write_store(draft, named, tables, attributes, threads)
    zipped = store.with_name(f"{store.name}.zip")
    zipped.unlink(missing_ok=True)
    if settings.zip:
        zip_store(store, zipped)


def _tables(
    nuclei: _Annotation,
    cells: _Annotation,
    combined: _Annotation,
    scvi: _Annotation | None,
    labels: Path,
    cell_region: str | None,
    slide: str,
) -> Iterator[tuple[str, AnnData]]:
    """Make the tables one after the other: only one is in memory.

    ``cell_region`` is None where the bundle has no outlines of cells that rows could describe.
    """
    by_cell = read_table(labels, LABELS).set_index("cell_id")
    table = _table(nuclei, by_cell, labels, slide)
    yield elements.NUCLEUS_TABLE, linked_table(table, elements.NUCLEUS_SHAPES, "nucleus_id")
    table = _table(cells, by_cell, labels, slide)
    yield elements.CELL_TABLE, linked_table(table, cell_region, "cell_id")
    table = _table(combined, by_cell, labels, slide)
    nucleus_counts = read_h5ad(nuclei.counts)
    if not nucleus_counts.var_names.equals(table.var_names):
        raise InputError(
            f"{nuclei.counts}: expected the genes of {cells.counts}, found others; count both again"
        )
    table.layers[elements.NUCLEUS_COUNT_LAYER] = summed_over_nuclei(nucleus_counts, table.obs_names)
    yield elements.COMBINED_TABLE, linked_table(table, cell_region, "cell_id")
    if scvi:
        table = _table(scvi, by_cell, labels, slide)
        yield elements.SCVI_TABLE, linked_table(table, cell_region, "cell_id")


def _feature_tables(
    described: Iterable[tuple[str, Path]], store: Path
) -> Iterator[tuple[str, AnnData]]:
    """Make the features of every model a table; their matrix, which need not fit in memory, follows once that is written."""
    for model, path in described:
        name = elements.features_table_name(model)
        yield name, linked_table(read_described(path), elements.NUCLEUS_SHAPES, "nucleus_id")
        copy_matrix(path, store / "tables" / name)


def _table(files: _Annotation, labels: pd.DataFrame, labels_path: Path, slide: str) -> AnnData:
    counts, clusters = read_h5ad(files.counts), read_h5ad(files.clusters)
    unlabelled = ~counts.obs["cell_id"].isin(labels.index)
    if unlabelled.any():
        raise InputError(
            f"{labels_path}: expected a row for every cell of {files.counts}, found none for "
            f"{unlabelled.sum()} rows; run refine again"
        )
    logger.info("%s: %d of %d rows clustered", files.counts.stem, clusters.n_obs, counts.n_obs)
    scores = read_scores(files.tangram)
    return object_table(counts, clusters, scores, labels[list(LABEL_COLUMNS)], slide)
