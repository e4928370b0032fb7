"""The spots of a slide: transcripts pooled on the lattice, batch by batch, and their places on the H&E."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from sthelar_build.core.assignment import PairCounts
from sthelar_build.core.spots import NONE, SpotLattice, barcodes
from sthelar_build.io.progress import progress
from sthelar_build.io.records import read_record
from sthelar_build.io.slide_files import WholeSlide
from sthelar_build.io.transcripts import count_batches, transcript_batches
from sthelar_build.schema.tables import GENE
from sthelar_build.settings.export_slides import ExportSlidesSettings

logger = logging.getLogger(__name__)

_COLUMNS = ["feature_name", "category", "x_um", "y_um", "qv"]
_BUNDLE_KEYS = ("genes", "width_px", "height_px", "pixel_size_um")


@dataclass(frozen=True, eq=False)
class Spots:
    """The spots of a slide that hold enough counts and lie on the H&E, row by row of the lattice."""

    table: pd.DataFrame
    """By barcode: ``array_row``, ``array_col``, centre ``x_um``, ``y_um``, and ``x_he_px``, ``y_he_px``."""
    counts: sparse.csr_matrix
    """int32 (spots, genes)."""
    genes: pd.DataFrame
    """``name``, ``id``: all genes of the panel, counted or not."""
    diameter_he_px: float
    """Side of a square spot or diameter of a disc, in level-0 H&E px."""


def read_spots(slide: WholeSlide, settings: ExportSlidesSettings) -> Spots:
    """Pool the transcripts of a slide on the lattice of the settings; memory grows with the spots, not the transcripts.

    Counted are gene codewords of at least ``spot_min_qv``, in cells or not, as Visium would.
    """
    bundle = read_record(slide.bundle, _BUNDLE_KEYS)
    genes = pd.DataFrame(bundle["genes"], columns=["name", "id"])
    lattice = settings.part(SpotLattice)
    sides_um = [bundle[side] * bundle["pixel_size_um"] for side in ("width_px", "height_px")]
    shape = lattice.shape_over(*sides_um)
    pooled = _pooled(slide, genes, lattice, shape, settings.spot_min_qv)
    total = np.asarray(pooled.sum(axis=1)).ravel()
    rows, columns = np.divmod(np.arange(len(total)), shape[1])
    table = _places(slide, lattice, rows, columns)
    on_he = _on_he(slide, table)
    kept = (total >= settings.spot_min_counts) & on_he
    logger.info(
        "%s: kept %d of %d spots: %d have fewer than %d counts, the others lie beside the H&E",
        slide.name,
        kept.sum(),
        len(kept),
        (total < settings.spot_min_counts).sum(),
        settings.spot_min_counts,
    )
    table.index = pd.Index(barcodes(rows, columns, shape))
    diameter_he_px = settings.spot_um / slide.placed.he_um_per_px
    return Spots(table[kept], pooled[np.flatnonzero(kept)], genes, diameter_he_px)


def _pooled(
    slide: WholeSlide,
    genes: pd.DataFrame,
    lattice: SpotLattice,
    shape: tuple[int, int],
    min_qv: float,
) -> sparse.csr_matrix:
    names = pa.array(genes["name"], pa.string())
    counts = PairCounts(shape[0] * shape[1], len(genes))
    n_all = n_genes = n_pooled = 0
    batches = transcript_batches(slide.transcripts, _COLUMNS)
    n_batches = count_batches(slide.transcripts)
    for batch in progress(batches, f"{slide.name} transcripts", n_batches):
        good = pa.Table.from_batches([batch]).filter(
            (pc.field("qv") >= min_qv) & (pc.field("category").cast(pa.string()) == GENE)
        )
        gene = pc.index_in(good["feature_name"].cast(pa.string()), names).fill_null(NONE).to_numpy()
        points_um = np.column_stack([good["x_um"].to_numpy(), good["y_um"].to_numpy()])
        spot = lattice.numbers(points_um.astype(np.float64), shape)
        counts.add(spot, gene)
        n_all, n_genes = n_all + batch.num_rows, n_genes + good.num_rows
        n_pooled += int(((spot != NONE) & (gene != NONE)).sum())
    logger.info(
        "%s: kept %d of %d transcripts: the others are controls, or have qv < %g",
        slide.name,
        n_genes,
        n_all,
        min_qv,
    )
    logger.info("%s: pooled %d of %d: the others lie between spots", slide.name, n_pooled, n_genes)
    return counts.matrix()


def _places(
    slide: WholeSlide, lattice: SpotLattice, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> pd.DataFrame:
    centres_um = lattice.centres_um(rows, columns)
    centres_he_px = slide.placed.um_to_he.apply(centres_um)
    array_row, array_col = lattice.array_places(rows, columns)
    return pd.DataFrame(
        {
            "array_row": array_row,
            "array_col": array_col,
            "x_um": centres_um[:, 0],
            "y_um": centres_um[:, 1],
            "x_he_px": centres_he_px[:, 0],
            "y_he_px": centres_he_px[:, 1],
        }
    )


def _on_he(slide: WholeSlide, table: pd.DataFrame) -> NDArray[np.bool_]:
    inside = table["x_he_px"].between(0, slide.placed.he_width_px, inclusive="left")
    inside &= table["y_he_px"].between(0, slide.placed.he_height_px, inclusive="left")
    return np.asarray(inside)
