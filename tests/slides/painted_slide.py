"""For ``evaluate``: a slide of discs that the colour network reads, with the masks and labels that are true of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import tifffile
import torch
from shapely import box

from slides.colour_network import painted, write_colour_network
from sthelar_build.core.tiling import patch_grid, patch_table
from sthelar_build.io.masks import MasksWriter
from sthelar_build.io.patch_stream import SlideFiles
from sthelar_build.io.splits import write_splits
from sthelar_build.io.tables import write_table
from sthelar_build.schema.tables import INSTANCES, LABELS, METRICS, NUCLEI, PATCHES

SLIDE = "painted_s0"
SIDE_PX, OVERLAP_PX, UM_PER_PX = 128, 32, 0.25
WIDTH_PX, HEIGHT_PX, RADIUS_PX = 416, 224, 12
SOURCE = {"stage": "test"}
DISCS = [
    (x, y, RADIUS_PX, 1 + (x // 48 + y // 48) % 2)
    for y in range(24, HEIGHT_PX, 48)
    for x in range(24, WIDTH_PX, 48)
]
"""x, y, radius and type: a chequerboard. None is cut so that less than a third of it is left."""


def write_network(path: Path, first: str, second: str) -> Path:
    """Write the colour network with these names for its two types."""
    write_colour_network(path)
    content = torch.load(path, weights_only=True)
    for old, new in (("Round", first), ("Flat", second)):
        index = content["config"].pop(f"dataset_config.nuclei_types.{old}")
        content["config"][f"dataset_config.nuclei_types.{new}"] = index
    torch.save(content, path)
    return path


def write_slide(folder: Path) -> SlideFiles:
    """Write the slide: of the cells of type 1, label3 is cancer_cell, of the others normal_cell."""
    folder.mkdir(parents=True)
    tifffile.imwrite(
        folder / "he.tif",
        painted(WIDTH_PX, HEIGHT_PX, DISCS),
        photometric="rgb",
        tile=(64, 64),
    )
    grid = patch_grid(WIDTH_PX, HEIGHT_PX, 1.0, SIDE_PX, OVERLAP_PX)
    table = patch_table(grid).assign(
        tissue_fraction=np.float32(1), covered_fraction=np.float32(1), blur_um=np.float32(0.6)
    )
    facts = {"um_per_px": UM_PER_PX, "side_px": SIDE_PX, "rows": grid.rows, "columns": grid.columns}
    write_table(folder / "patches_40x.parquet", table, PATCHES, SOURCE, facts)
    _write_masks(folder / "masks_40x", table, grid.rows, grid.columns)
    metrics = pd.DataFrame({"patch_id": table.patch_id, "Dice": 0.6, "Jaccard": 0.5, "bPQ": 0.4})
    counts = {"n_true": np.uint32(1), "n_predicted": np.uint32(1), "reason": None}
    write_table(folder / "metrics_40x.parquet", metrics.assign(**counts), METRICS, SOURCE)
    _write_cells(folder)
    return files_of(folder)


def files_of(folder: Path) -> SlideFiles:
    """Return the paths that ``write_slide`` wrote."""
    names = ("patches_40x", "metrics_40x", "nuclei", "labels")
    paths = {name.removesuffix("_40x"): folder / f"{name}.parquet" for name in names}
    masks = folder / "masks_40x" / "manifest.json"
    return SlideFiles(
        SLIDE, "Skin", he=folder / "he.tif", masks=masks, cells=folder / "none", **paths
    )


def write_split(path: Path, files: SlideFiles, split_of_column: list[str | None]) -> Path:
    """Write ``splits.parquet``: every column of the grid is in a split, or in none."""
    table = pd.read_parquet(files.patches)
    split = [
        split_of_column[column] if c else None
        for column, c in zip(table.grid_column, table.complete, strict=True)
    ]
    reason = [None if s else "guard" for s in split]
    frame = pd.DataFrame(
        {"slide": SLIDE, "patch_id": table.patch_id, "split": split, "reason": reason}
    )
    write_splits(path, frame, SOURCE, {"strategy": "space"})
    return path


def nuclei_map() -> np.ndarray:
    """Return the nuclei of the whole slide (y, x)."""
    nuclei = np.zeros((HEIGHT_PX, WIDTH_PX), dtype=np.uint32)
    y, x = np.mgrid[:HEIGHT_PX, :WIDTH_PX]
    for number, (centre_x, centre_y, radius, _) in enumerate(DISCS, start=1):
        nuclei[(x - centre_x) ** 2 + (y - centre_y) ** 2 < radius**2] = number
    return nuclei


def _write_masks(folder: Path, table: pd.DataFrame, rows: int, columns: int) -> None:
    nuclei = nuclei_map()
    kinds = {field.name: field.type.to_pandas_dtype() for field in INSTANCES}
    with MasksWriter(folder, rows, columns, SIDE_PX, SOURCE) as writer:
        for row in range(rows):
            maps = np.zeros((columns, SIDE_PX, SIDE_PX), dtype=np.uint32)
            for p in table[(table.grid_row == row) & table.complete].itertuples():
                cut = nuclei[p.y_px : p.y_px + SIDE_PX, p.x_px : p.x_px + SIDE_PX]
                maps[p.grid_column] = cut
                ids, area = np.unique(cut[cut > 0], return_counts=True)
                values = {
                    "patch_id": np.full(len(ids), p.patch_id), "nucleus_id": ids, "class_index": np.ones(len(ids)),
                    "visible_px": area, "visible_fraction": area / area.max(initial=1),
                    "touches_border": np.zeros(len(ids)),
                }  # fmt: skip
                writer.write_table({n: np.asarray(v, dtype=kinds[n]) for n, v in values.items()})
            writer.write_maps(row, maps)
        writer.finish({"um_per_px": UM_PER_PX})


def _write_cells(folder: Path) -> None:
    ids = [f"cell{number}-1" for number in range(1, len(DISCS) + 1)]
    nuclei = pd.DataFrame(
        {
            "nucleus_id": np.arange(1, len(ids) + 1, dtype=np.uint32),
            "cell_id": ids,
            "x_um": 0.0, "y_um": 0.0, "area_um2": 1.0, "repaired": False,
            "raster_label": None, "geometry": box(0, 0, 1, 1),
        }
    )  # fmt: skip
    labels = pd.DataFrame(
        {
            "cell_id": ids,
            "final_label": "Epithelial", "label1": "a", "label2": "b",
            "label3": [("cancer_cell", "normal_cell")[kind - 1] for *_, kind in DISCS],
            "confidence": np.linspace(0, 1, len(ids), dtype=np.float32),
            "decided_by": "agreement", "cluster": "0",
        }
    )  # fmt: skip
    for name, frame, schema in (("nuclei", nuclei, NUCLEI), ("labels", labels, LABELS)):
        write_table(folder / f"{name}.parquet", frame, schema, SOURCE)
