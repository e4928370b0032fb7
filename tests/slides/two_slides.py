"""For datasets: two slides of random nuclei with patches, masks and metrics, as ``collect`` and ``export`` read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
import tifffile
from anndata import AnnData
from shapely import box

from sthelar_build.core.tiling import patch_grid, patch_table
from sthelar_build.io.counts import write_h5ad
from sthelar_build.io.masks import MasksWriter
from sthelar_build.io.patch_stream import PatchSource, SlideFiles
from sthelar_build.io.patch_stream import patch_table as joined_table
from sthelar_build.io.slide_nuclei import open_slide_nuclei
from sthelar_build.io.splits import write_splits as write_splits_table
from sthelar_build.io.tables import write_table
from sthelar_build.schema.tables import CELLS, INSTANCES, LABELS, METRICS, NUCLEI, PATCHES

SIDE_PX, OVERLAP_PX, UM_PER_PX = 32, 8, 0.25
WIDTH_PX, HEIGHT_PX = 330, 90
SLIDES = {"skin_s1": "Skin", "breast_s0": "Breast"}
SOURCE = {"stage": "test"}
GENES = ("CD3E", "EPCAM", "KRT8", "BG")
CLASS_NAMES = ("T_NK", "Epithelial", "Other", "Glioblastoma")


def slide_map(slide: str) -> np.ndarray:
    """Return the nuclei of a whole slide (y, x): rectangles, none in the first 40 columns."""
    rng = np.random.default_rng(len(slide))
    nuclei = np.zeros((HEIGHT_PX, WIDTH_PX), dtype=np.uint32)
    for nucleus_id in range(1, 121):
        x, y = rng.integers(40, WIDTH_PX - 6), rng.integers(0, HEIGHT_PX - 6)
        nuclei[y : y + 5, x : x + 4] = nucleus_id
    return nuclei


def class_of(nucleus_id: int) -> int:
    """Return the published class index: 1, 6, 9, 9 in turn."""
    return (1, 6, 9, 9)[nucleus_id % 4]


def write_slide(folder: Path, slide: str, *, verdict: str = "pass") -> SlideFiles:
    """Write all artefacts of one slide that ``collect`` and ``export`` read."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (HEIGHT_PX, WIDTH_PX, 3), dtype=np.uint8)
    tifffile.imwrite(folder / "he.tif", image, photometric="rgb", tile=(64, 64))
    grid = patch_grid(WIDTH_PX, HEIGHT_PX, 1.0, SIDE_PX, OVERLAP_PX)
    table = patch_table(grid).assign(
        tissue_fraction=np.float32(0.5), covered_fraction=np.float32(1), blur_um=np.float32(0.6)
    )
    facts = {"um_per_px": UM_PER_PX, "side_px": SIDE_PX, "rows": grid.rows, "columns": grid.columns}
    write_table(folder / "patches_40x.parquet", table, PATCHES, SOURCE, facts)
    n_true = _write_masks(folder / "masks_40x", slide_map(slide), table, grid.rows, grid.columns)
    _write_metrics(folder / "metrics_40x.parquet", table, n_true)
    _write_cells(folder)
    record = {
        "matrix": np.eye(3).tolist(), "source": "he", "target": "morphology", "method": "matrix",
        "he_um_per_px": UM_PER_PX, "he_width_px": WIDTH_PX, "he_height_px": HEIGHT_PX,
        "pixel_size_um": UM_PER_PX, "median_um": 0.5, "p95_um": 1.5, "verdict": verdict, "reasons": [],
    }  # fmt: skip
    (folder / "transform.json").write_text(json.dumps(record))
    return files_of(folder, slide)


def files_of(folder: Path, slide: str) -> SlideFiles:
    """Return the paths that ``write_slide`` wrote."""
    return SlideFiles(
        slide=slide,
        tissue=SLIDES[slide],
        he=folder / "he.tif",
        patches=folder / "patches_40x.parquet",
        masks=folder / "masks_40x" / "manifest.json",
        metrics=folder / "metrics_40x.parquet",
        nuclei=folder / "nuclei.parquet",
        cells=folder / "cells.parquet",
        labels=folder / "labels.parquet",
    )


def _write_masks(folder: Path, nuclei: np.ndarray, table: Any, rows: int, columns: int) -> Any:
    n_true = np.zeros(len(table), dtype=np.uint32)
    with MasksWriter(folder, rows, columns, SIDE_PX, SOURCE) as writer:
        for row in range(rows):
            patches = table[(table.grid_row == row) & table.complete]
            maps = np.stack(
                [
                    nuclei[p.y_px : p.y_px + SIDE_PX, p.x_px : p.x_px + SIDE_PX]
                    for p in patches.itertuples()
                ]
                or [np.zeros((SIDE_PX, SIDE_PX), dtype=np.uint32)]
            )
            writer.write_maps(row, maps)
            for patch_id, drawn in zip(patches.patch_id, maps, strict=False):
                ids, area = np.unique(drawn[drawn > 0], return_counts=True)
                n_true[patch_id] = len(ids)
                writer.write_table(_instances(patch_id, ids, area))
        writer.finish({"um_per_px": UM_PER_PX})
    return n_true


def _instances(patch_id: int, ids: np.ndarray, area: np.ndarray) -> dict[str, Any]:
    values = {
        "patch_id": np.full(len(ids), patch_id),
        "nucleus_id": ids,
        "class_index": [class_of(i) for i in ids],
        "visible_px": area,
        "visible_fraction": area / 20,
        "touches_border": np.zeros(len(ids), dtype=bool),
    }
    kinds = {field.name: field.type.to_pandas_dtype() for field in INSTANCES}
    return {name: np.asarray(column, dtype=kinds[name]) for name, column in values.items()}


def _write_metrics(path: Path, table: Any, n_true: np.ndarray) -> None:
    jaccard = np.where(n_true > 0, 0.3 + 0.5 * (np.arange(len(n_true)) % 2), np.nan)
    metrics = pd.DataFrame(
        {
            "patch_id": table.patch_id,
            "Dice": 2 * jaccard / (1 + jaccard),
            "Jaccard": jaccard,
            "bPQ": jaccard / 2,
            "n_true": n_true,
            "n_predicted": n_true,
            "reason": [None if n else "no_nucleus" for n in n_true],
        }
    )
    metrics.loc[~table.complete, "reason"] = "outside"
    write_table(path, metrics, METRICS, SOURCE)


def _write_cells(folder: Path) -> None:
    """Write 100 cells and 120 nuclei: the last twenty are second nuclei; cell numbers run backwards."""
    cell_ids = [f"cell{n:03d}-1" for n in range(1, 101)]
    nuclei = pd.DataFrame(
        {
            "nucleus_id": np.arange(1, 121, dtype=np.uint32),
            "cell_id": [cell_ids[n % 100] for n in range(120)],
            "x_um": 0.0, "y_um": 0.0, "area_um2": 1.0, "repaired": False,
            "raster_label": None, "geometry": box(0, 0, 1, 1),
        }
    )  # fmt: skip
    cells = pd.DataFrame(
        {
            "cell_id": cell_ids,
            "cell_number": np.arange(100, 0, -1, dtype=np.uint32),
            "x_um": 0.0, "y_um": 0.0, "area_um2": 1.0, "nucleus_area_um2": 1.0,
            "nucleus_count": np.ones(100, dtype=np.uint16), "segmentation_method": None,
            "repaired": False, "geometry": box(0, 0, 1, 1),
        }
    )  # fmt: skip
    labels = pd.DataFrame(
        {
            "cell_id": cell_ids,
            "final_label": [CLASS_NAMES[n % 4] for n in range(100)],
            "label1": "a", "label2": "b", "label3": ["cancer_cell", "normal_cell"] * 50,
            "confidence": np.float32(1), "decided_by": "agreement", "cluster": "0",
        }
    )  # fmt: skip
    for name, frame, schema in (
        ("nuclei", nuclei, NUCLEI),
        ("cells", cells, CELLS),
        ("labels", labels, LABELS),
    ):
        write_table(folder / f"{name}.parquet", frame, schema, SOURCE)
    counts = np.random.default_rng(0).poisson(3, (100, len(GENES))).astype(np.float32)
    obs, var = pd.DataFrame({"cell_id": cell_ids}, index=cell_ids), pd.DataFrame(index=list(GENES))
    write_h5ad(folder / "counts_cells.h5ad", AnnData(sp.csr_matrix(counts), obs, var), SOURCE)


def source_of(folder: Path) -> PatchSource:
    """Write both slides under ``folder`` and stream their patches that hold a nucleus, bands as splits."""
    files = [write_slide(folder / slide, slide) for slide in SLIDES]
    tables = []
    for one in files:
        table = joined_table(one.patches, one.masks, one.metrics)
        table = table[table.complete & (table.n_nuclei > 0)].reset_index(drop=True)
        tables.append(table.assign(split=split_by_column(table)))
    return PatchSource(files, tables, SIDE_PX)


def split_by_column(table: pd.DataFrame) -> Any:
    """Return train, valid or test by column of the grid, with a guard between."""
    bands = ["train"] * 7 + [None] * 2 + ["valid"] + [None] * 2 + ["test"] * 9
    return np.array([bands[column] for column in table.grid_column], dtype=object)


def write_sheet(path: Path) -> None:
    """Write ``slides.tsv`` with both slides."""
    head = "slide\tpatient\ttissue\tcondition\txenium\the\talignment\treference\tpredictions\n"
    rows = [f"{s}\tpatient_{s}\t{t}\tcancer\tx\th\tauto\tr\t\n" for s, t in SLIDES.items()]
    path.write_text(head + "".join(rows))


def write_splits(path: Path, folder: Path) -> None:
    """Write ``splits.parquet`` for both slides."""
    parts = []
    for slide in SLIDES:
        files = files_of(folder / slide, slide)
        table = joined_table(files.patches, files.masks, files.metrics)
        split = split_by_column(table)
        reason = [None if s else "guard" for s in split]
        parts.append(
            pd.DataFrame(
                {"slide": slide, "patch_id": table.patch_id, "split": split, "reason": reason}
            )
        )
    write_splits_table(path, pd.concat(parts, ignore_index=True), SOURCE, {"strategy": "space"})


def open_nuclei(folder):
    """Open the nuclei of a written slide, as ``embed`` does."""
    return open_slide_nuclei(
        folder / "he.tif",
        folder / "masks_40x",
        folder / "patches_40x.parquet",
        folder / "nuclei.parquet",
        folder / "transform.json",
    )
