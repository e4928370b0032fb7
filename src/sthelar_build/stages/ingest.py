"""Read a Xenium bundle of any version into tables of ours."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from sthelar_build.core.cell_tables import cells_table, nuclei_table
from sthelar_build.core.repeated_ids import RepeatedIds
from sthelar_build.errors import InputError
from sthelar_build.io.atomic import published_together
from sthelar_build.io.progress import progress
from sthelar_build.io.provenance import Provenance, provenance
from sthelar_build.io.records import write_record
from sthelar_build.io.resegmented import Resegmented, read_resegmented
from sthelar_build.io.tables import table_writer, write_table
from sthelar_build.io.workers import ahead
from sthelar_build.io.xenium import bundle as vendor
from sthelar_build.io.xenium.boundaries import (
    Outlines,
    read_cell_outlines,
    read_nucleus_outlines,
)
from sthelar_build.io.xenium.bundle import XeniumBundle, open_bundle
from sthelar_build.io.xenium.images import MorphologyFacts, morphology_facts
from sthelar_build.io.xenium.sound import check_extent, check_once, check_places, extent_of
from sthelar_build.io.xenium.sources import count_rows, is_csv
from sthelar_build.io.xenium.tables import (
    ROWS_AT_A_TIME,
    read_cells,
    read_features,
    transcript_batches,
)
from sthelar_build.options import InFile, MaybeInFile, OutFile, as_json
from sthelar_build.schema import tables
from sthelar_build.schema.words import XENIUM
from sthelar_build.settings.ingest import IngestSettings

logger = logging.getLogger(__name__)


def run(
    xenium: InFile,
    nuclei: OutFile,
    cells: OutFile,
    transcripts: OutFile,
    bundle: OutFile,
    settings: Annotated[IngestSettings, as_json(IngestSettings)],
    resegmented: MaybeInFile = None,
) -> None:
    """Read a Xenium bundle of any version into tables, with its own nuclei or with others."""
    source = open_bundle(xenium)
    logger.info("%s: version %s, layout %s", xenium, source.xoa_version, source.layout)
    features = read_features(source)
    image = morphology_facts(source)
    others = read_resegmented(resegmented, settings.expansion_um) if resegmented else None
    nucleus_table, cell_table = (
        (others.nuclei, others.cells) if others else _read_objects(source, image)
    )
    record = {
        **_record(source, image, features, len(cell_table), len(nucleus_table)),
        "nuclei_source": others.source if others else XENIUM,
    }
    origin = provenance("ingest", settings, {**_inputs(source), "resegmented": resegmented})
    with published_together(nuclei, cells, transcripts, bundle) as drafts:
        write_table(drafts[0], nucleus_table, tables.NUCLEI, origin)
        write_table(drafts[1], cell_table, tables.CELLS, origin)
        n_transcripts = _stream_transcripts(source, image, features, others, drafts[2], origin)
        write_record(drafts[3], {**record, "n_transcripts": n_transcripts}, origin)


def _read_objects(
    source: XeniumBundle, image: MorphologyFacts
) -> tuple[pd.DataFrame, pd.DataFrame]:
    cells = read_cells(source)
    check_places(source.path(vendor.CELLS), extent_of(source, image), cells["x_um"], cells["y_um"])
    cell_ids = cells["cell_id"].to_numpy()
    nucleus_outlines = read_nucleus_outlines(source, cell_ids)
    _check_outlines(source, image, vendor.NUCLEUS_BOUNDARIES, nucleus_outlines)
    _rows_of(nucleus_outlines, cells, source.path(vendor.NUCLEUS_BOUNDARIES))
    nuclei = nuclei_table(
        nucleus_outlines.cell_ids, nucleus_outlines.polygons, nucleus_outlines.raster_labels
    )
    _log_repairs("nuclei", nuclei, len(nucleus_outlines.polygons))
    outlines = read_cell_outlines(source) or _no_outlines()
    _check_outlines(source, image, vendor.CELL_BOUNDARIES, outlines)
    rows = _rows_of(outlines, cells, source.path(vendor.CELL_BOUNDARIES))
    table = cells_table(cells, rows, outlines.polygons, nuclei)
    _log_repairs("cell outlines", table[table["geometry"].notna()], len(outlines.polygons))
    _log_ownership(table)
    return nuclei, table


def _no_outlines() -> Outlines:
    return Outlines(cell_ids=np.empty(0, dtype=object), polygons=np.empty(0, dtype=object))


def _check_outlines(
    source: XeniumBundle, image: MorphologyFacts, name: str, outlines: Outlines
) -> None:
    corners_um = shapely.bounds(outlines.polygons[outlines.polygons != None])  # noqa: E711
    check_places(source.path(name), extent_of(source, image), corners_um[:, 0], corners_um[:, 1])


def _rows_of(outlines: Outlines, cells: pd.DataFrame, path: Path) -> NDArray[np.int64]:
    """Return the row of the owner of every outline; all must be cells of the bundle."""
    rows = pd.Index(cells["cell_id"]).get_indexer(pd.Index(outlines.cell_ids))
    strangers = outlines.cell_ids[rows < 0]
    if len(strangers):
        raise InputError(
            f"{path}: expected cells of {vendor.CELLS}, found {len(strangers)} outlines of others, "
            f"such as {strangers[0]}; copy all files from the same run"
        )
    return np.asarray(rows, dtype=np.int64)


def _log_repairs(what: str, kept: pd.DataFrame, n_outlines: int) -> None:
    logger.info(
        "%s: kept %d of %d: the others have no area; made valid: %d",
        what,
        len(kept),
        n_outlines,
        kept["repaired"].sum(),
    )


def _log_ownership(cells: pd.DataFrame) -> None:
    logger.info(
        "cells: %d, of which %d without nucleus, %d with several, %d without outline",
        len(cells),
        (cells["nucleus_count"] == 0).sum(),
        (cells["nucleus_count"] > 1).sum(),
        cells["geometry"].isna().sum(),
    )


def _stream_transcripts(
    source: XeniumBundle,
    image: MorphologyFacts,
    features: pd.DataFrame,
    others: Resegmented | None,
    path: Path,
    origin: Provenance,
) -> int:
    """Write the transcripts as they come; return how many there are."""
    extent = extent_of(source, image)
    category_of_feature = dict(zip(features["name"], features["category"], strict=True))
    # A csv would have to be read through to say how many there are.
    table = source.path(vendor.TRANSCRIPTS)
    n_batches = None if is_csv(table) else -(-count_rows(table) // ROWS_AT_A_TIME)
    n_read, seen = 0, RepeatedIds()
    by_category: pd.Series = pd.Series(dtype=np.int64)
    with table_writer(path, tables.TRANSCRIPTS, origin) as writer:
        batches = ahead(transcript_batches(source, category_of_feature))
        for batch in progress(batches, "transcripts", n_batches):
            n_read += batch.num_rows
            check_once(table, seen, batch["transcript_id"].to_numpy())
            extent.add(batch["x_um"].to_numpy(), batch["y_um"].to_numpy())
            writer.write_table(others.reassign(batch) if others else batch)
            counted = batch["category"].to_pandas().value_counts()
            by_category = by_category.add(counted, fill_value=0)
    check_extent(table, extent)
    if not seen.is_whole:
        logger.warning("transcripts: their ids lie too far apart to look for all that come twice")
    shares = ", ".join(f"{name} {count:.0f}" for name, count in sorted(by_category.items()))
    logger.info("transcripts: kept %d of %d: %s", by_category.sum(), n_read, shares or "none")
    if others:
        others.log_transcripts(n_read)
    return n_read


def _record(
    source: XeniumBundle,
    image: MorphologyFacts,
    features: pd.DataFrame,
    n_cells: int,
    n_nuclei: int,
) -> dict[str, Any]:
    return {
        "xoa_version": source.xoa_version,
        "layout": source.layout,
        "pixel_size_um": source.pixel_size_um,
        "width_px": image.width_px,
        "height_px": image.height_px,
        "morphology": source.morphology.relative_to(source.folder).as_posix(),
        "channels": list(image.channels),
        "genes": _genes(features),
        "n_cells": n_cells,
        "n_nuclei": n_nuclei,
    }


def _genes(features: pd.DataFrame) -> list[dict[Any, Any]]:
    """Genes are told by their symbol, as transcripts tell them; a second row of one is left out."""
    genes = features[features["category"] == tables.GENE]
    distinct = genes.drop_duplicates("name")
    if len(distinct) < len(genes):
        logger.warning(
            "genes: kept %d of %d: the others bear the name of another", len(distinct), len(genes)
        )
    return distinct[["name", "id"]].to_dict("records")


def _inputs(source: XeniumBundle) -> dict[str, Path]:
    names = {
        "experiment": vendor.SPECIFICATION,
        "cells": vendor.CELLS,
        "cell_boundaries": vendor.CELL_BOUNDARIES,
        "nucleus_boundaries": vendor.NUCLEUS_BOUNDARIES,
        "transcripts": vendor.TRANSCRIPTS,
        "matrix": vendor.FEATURE_MATRIX,
    }
    return {key: source.path(name) for key, name in names.items() if source.has(name)}
