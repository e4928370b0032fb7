"""For ``assemble`` and ``report``: three cells by hand, as every artefact of a slide; each number can be told."""

from __future__ import annotations

from pathlib import Path

import anndata
import geopandas
import numpy as np
import pandas as pd
import scipy.sparse as sp
import tifffile
from PIL import Image
from shapely import box

from sthelar_build.core.scores import Scores
from sthelar_build.io.counts import write_h5ad
from sthelar_build.io.masks import MasksWriter
from sthelar_build.io.provenance import provenance
from sthelar_build.io.records import write_record
from sthelar_build.io.scores import write_scores
from sthelar_build.io.tables import write_table
from sthelar_build.io.transform import Transform, write_transform
from sthelar_build.schema import tables
from sthelar_build.schema.frames import Affine, Frame

SLIDE = "tiny_s0"
PIXEL_SIZE_UM = 0.2125
MATRIX = np.array([[0.0, -1.2, 380.0], [1.2, 0.0, 10.0], [0.0, 0.0, 1.0]])
"""he -> morphology: a quarter turn, 1.2 morphology px per H&E px."""
HE_SHAPE = (300, 230)
MORPHOLOGY_SHAPE = (300, 400)
SIDE_PX = 64
SCALES = {"40x": 1, "20x": 2}
"""Level-0 H&E pixels per pixel of each scale."""

CELLS = ("aaaaaaab-1", "aaaaaaac-1", "oipggjko-12")
"""The first has two nuclei, the second one, the third neither nucleus nor outline nor enough counts."""
OWNERS = (CELLS[0], CELLS[0], CELLS[1])
GENES = ("CD3E", "EPCAM", "MS4A1", "VWF")
NUCLEUS_COUNTS = np.array([[3, 0, 1, 0], [2, 0, 0, 0], [0, 5, 0, 2]], dtype=np.float32)
CELL_COUNTS = np.array([[7, 1, 1, 0], [0, 9, 0, 2], [0, 0, 1, 0]], dtype=np.float32)
FINE_LABELS = ("T cell CD4/CD8", "Epithelial cell")
SCORES = np.array([[0.9, 0.1], [0.2, 0.8]], dtype=np.float32)
CLASSES = ("T_NK", "Epithelial", "Other")

_SOURCE = provenance("test")


def he_pixels() -> np.ndarray:
    """A pale image whose colour says where one is: (y, x, 3)."""
    y, x = np.indices(HE_SHAPE)
    return np.stack([230 - y % 200, 120 + x % 100, 180 + (x + y) % 50], axis=2).astype(np.uint8)


def morphology_pixels() -> np.ndarray:
    """Two channels that differ: (c, y, x)."""
    y, x = np.indices(MORPHOLOGY_SHAPE)
    return np.stack([y * 400 + x % 400, 1000 + y + x]).astype(np.uint16)


def build(folder: Path) -> dict[str, Path]:
    """Write every artefact of the slide, and return its path by the name of the stages' arguments."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_images(folder)
    _write_transform(folder / "transform.json")
    _write_objects(folder)
    _write_annotation(folder)
    for scale, downsample in SCALES.items():
        _write_patches(folder, scale, downsample)
        _write_masks(folder / f"masks_{scale}", downsample)
    _write_findings(folder)
    names = {
        "xenium": "xenium",
        "he": "he.tif",
        **{name: f"{name}.json" for name in ("bundle", "transform")},
        **{
            name: f"{name}.parquet"
            for name in (
                "nuclei",
                "cells",
                "transcripts",
                "tangram_nuclei",
                "tangram_cells",
                "labels",
            )
        },
        **{
            name: f"{name}.h5ad"
            for name in (
                *("counts_nuclei", "counts_cells"),
                *("clusters_nuclei", "clusters_cells", "clusters_combined"),
            )
        },
        **{
            f"{name}_{scale}": f"{name}_{scale}.parquet"
            for name in ("patches", "metrics")
            for scale in SCALES
        },
        **{f"masks_{scale}": f"masks_{scale}/manifest.json" for scale in SCALES},
        "preflight": "preflight.json",
        "registration": "registration.parquet",
        "registration_pictures": "registration",
        "evidence": "evidence.parquet",
        "overrides": "overrides.parquet",
        "refine_pictures": "refine",
    }
    return {name: folder / file for name, file in names.items()}


def _write_images(folder: Path) -> None:
    he = he_pixels()
    with tifffile.TiffWriter(folder / "he.tif") as tiff:
        tiff.write(he, photometric="rgb", tile=(64, 64), subifds=1)
        tiff.write(he[::2, ::2], photometric="rgb", tile=(64, 64), subfiletype=1)
    focus = folder / "xenium" / "morphology_focus"
    focus.mkdir(parents=True)
    for number, plane in enumerate(morphology_pixels()):
        with tifffile.TiffWriter(
            focus / f"morphology_focus_000{number}.ome.tif", ome=False
        ) as tiff:
            tiff.write(plane, tile=(128, 128), compression="jpeg2000", subifds=1)
            tiff.write(plane[::2, ::2], tile=(128, 128), compression="jpeg2000", subfiletype=1)
    record = {
        "xoa_version": "3.0.0",
        "layout": "2.0",
        "pixel_size_um": PIXEL_SIZE_UM,
        "width_px": MORPHOLOGY_SHAPE[1],
        "height_px": MORPHOLOGY_SHAPE[0],
        "morphology": "morphology_focus/morphology_focus_0000.ome.tif",
        "channels": ["DAPI", "ATP1A1/CD45/E-Cadherin"],
        "genes": [{"name": gene, "id": f"ENSG{n}"} for n, gene in enumerate(GENES)],
        "n_cells": 3,
        "n_nuclei": 3,
        "n_transcripts": 5,
    }
    write_record(folder / "bundle.json", record, _SOURCE)


def _write_transform(path: Path) -> None:
    transform = Transform(
        he_to_morphology=Affine(MATRIX, Frame.HE, Frame.MORPHOLOGY),
        method="automatic",
        he_width_px=HE_SHAPE[1],
        he_height_px=HE_SHAPE[0],
        pixel_size_um=PIXEL_SIZE_UM,
        median_um=0.41,
        p95_um=1.9,
        verdict="warn",
        reasons=("few tiles could be measured",),
    )
    write_transform(path, transform, _SOURCE)


def _write_objects(folder: Path) -> None:
    outlines = [box(20, 20, 26, 26), box(30, 20, 34, 26), box(50, 40, 58, 48)]
    nuclei = geopandas.GeoDataFrame(
        {
            "nucleus_id": np.arange(1, 4, dtype=np.uint32),
            "cell_id": OWNERS,
            "x_um": [shape.centroid.x for shape in outlines],
            "y_um": [shape.centroid.y for shape in outlines],
            "area_um2": [shape.area for shape in outlines],
            "repaired": [False, True, False],
            "raster_label": None,
        },
        geometry=outlines,
    )
    write_table(folder / "nuclei.parquet", nuclei, tables.NUCLEI, _SOURCE)
    cells = geopandas.GeoDataFrame(
        {
            "cell_id": CELLS,
            "cell_number": np.arange(1, 4, dtype=np.uint32),
            "x_um": [27.0, 54.0, 70.0],
            "y_um": [23.0, 44.0, 10.0],
            "area_um2": [180.0, 100.0, None],
            "nucleus_area_um2": [60.0, 64.0, None],
            "nucleus_count": np.array([2, 1, 0], dtype=np.uint16),
            "segmentation_method": ["Segmented by nucleus expansion of 5.0µm"] * 3,
            "repaired": [False, False, False],
        },
        geometry=[box(18, 18, 36, 28), box(49, 39, 59, 49), None],
    )
    write_table(folder / "cells.parquet", cells, tables.CELLS, _SOURCE)
    transcripts = pd.DataFrame(
        {
            "transcript_id": np.array([9, 8, 7, 6, 2**63 + 5], dtype=np.uint64),
            "cell_id": [CELLS[0], CELLS[0], CELLS[1], CELLS[2], None],
            "overlaps_nucleus": [True, False, True, False, False],
            "feature_name": pd.Categorical(["CD3E", "EPCAM", "EPCAM", "MS4A1", "NegControl_1"]),
            "category": pd.Categorical(["gene"] * 4 + ["control_probe"]),
            "x_um": np.array([22, 34, 52, 70, 1], dtype=np.float32),
            "y_um": np.array([22, 24, 44, 10, 2], dtype=np.float32),
            "z_um": np.array([5, 6, 7, 8, 9], dtype=np.float32),
            "qv": np.array([40, 30, 20, 40, 12], dtype=np.float32),
        }
    )
    write_table(folder / "transcripts.parquet", transcripts, tables.TRANSCRIPTS, _SOURCE)
    places = {"nuclei": nuclei, "cells": cells}
    for kind, counts in (("nuclei", NUCLEUS_COUNTS), ("cells", CELL_COUNTS)):
        write_h5ad(folder / f"counts_{kind}.h5ad", _counts(places[kind], counts), _SOURCE)


def _counts(objects: pd.DataFrame, counts: np.ndarray) -> anndata.AnnData:
    ids = [name for name in ("nucleus_id", "cell_id") if name in objects]
    obs = pd.DataFrame(objects[[*ids, "x_um", "y_um", "area_um2"]])
    obs["transcript_counts"] = counts.sum(axis=1).astype(np.uint32)
    obs["control_probe_counts"] = np.arange(len(obs), dtype=np.uint32)
    obs.index = obs[ids[0]].astype(str).to_list()
    var = pd.DataFrame({"gene_id": [f"ENSG{n}" for n in range(len(GENES))]}, index=list(GENES))
    table = anndata.AnnData(sp.csr_matrix(counts), obs=obs, var=var)
    table.obsm["spatial"] = obs[["x_um", "y_um"]].to_numpy()
    return table


def _write_annotation(folder: Path) -> None:
    n = np.arange(2, dtype=np.float32)
    for kind, names in (("nuclei", ["1", "3"]), ("cells", CELLS[:2]), ("combined", CELLS[:2])):
        clusters = anndata.AnnData(obs=pd.DataFrame(index=list(names)))
        clusters.obs["leiden_0.4"] = pd.Categorical(["0", "1"])
        clusters.obs["cell_id"] = [*CELLS[:2]]
        clusters.obsm["X_pca"] = np.stack([n, n + 10, n + 20], axis=1)
        clusters.obsm["X_umap"] = np.stack([n, -n], axis=1)
        write_h5ad(folder / f"clusters_{kind}.h5ad", clusters, _SOURCE)
    classes = dict(zip(FINE_LABELS, CLASSES, strict=False))
    for kind, column, ids in (
        ("nuclei", "nucleus_id", np.array([1, 3], dtype=np.uint32)),
        ("cells", "cell_id", np.array(CELLS[:2], dtype=object)),
    ):
        scores = Scores(column, ids, list(FINE_LABELS), SCORES)
        write_scores(folder / f"tangram_{kind}.parquet", scores, classes, _SOURCE)
    labels = pd.DataFrame(
        {
            "cell_id": CELLS,
            "final_label": CLASSES,
            "label1": ["T", "Epithelial", "less10"],
            "label2": ["T_CD8", "Epithelial", "less10"],
            "label3": ["normal_cell", "cancer_cell", "less10"],
            "confidence": np.array([0.9, 0.6, 0.0], dtype=np.float32),
            "decided_by": ["agreement", "markers", "low_count"],
            "cluster": ["0", "1", None],
        }
    )
    write_table(folder / "labels.parquet", labels, tables.LABELS, _SOURCE)


def _grid(downsample: int) -> tuple[int, int]:
    return tuple(-(-side // (SIDE_PX * downsample)) for side in HE_SHAPE)


def _write_patches(folder: Path, scale: str, downsample: int) -> None:
    rows, columns = _grid(downsample)
    side_he_px = SIDE_PX * downsample
    row, column = (index.ravel() for index in np.indices((rows, columns)))
    x, y = column * side_he_px, row * side_he_px
    complete = (x + side_he_px <= HE_SHAPE[1]) & (y + side_he_px <= HE_SHAPE[0])
    patches = pd.DataFrame(
        {
            "patch_id": (row * columns + column).astype(np.uint32),
            "grid_row": row.astype(np.uint32),
            "grid_column": column.astype(np.uint32),
            "x_px": (x / downsample).astype(np.int64),
            "y_px": (y / downsample).astype(np.int64),
            "x_he_px": x.astype(float),
            "y_he_px": y.astype(float),
            "side_he_px": np.full(len(x), float(side_he_px)),
            "complete": complete,
            "tissue_fraction": np.ones(len(x), dtype=np.float32),
            "covered_fraction": np.ones(len(x), dtype=np.float32),
            "blur_um": np.full(len(x), 0.6, dtype=np.float32),
        }
    )
    facts = {
        "um_per_px": 1.2 * PIXEL_SIZE_UM * downsample,
        "downsample": downsample,
        "side_px": SIDE_PX,
        "overlap_px": 0,
        "columns": columns,
        "rows": rows,
        "width_px": HE_SHAPE[1],
        "height_px": HE_SHAPE[0],
    }
    write_table(folder / f"patches_{scale}.parquet", patches, tables.PATCHES, _SOURCE, facts)
    measured = complete & (patches["patch_id"] % 2 == 0)
    jaccard = np.where(measured, 0.3 + 0.02 * patches["patch_id"], np.nan)
    reason = np.where(~complete, "outside", np.where(measured, None, "no_nucleus"))
    metrics = pd.DataFrame(
        {
            "patch_id": patches["patch_id"],
            "Dice": 2 * jaccard / (1 + jaccard),
            "Jaccard": jaccard,
            "bPQ": jaccard / 2,
            "n_true": measured.astype(np.uint32),
            "n_predicted": measured.astype(np.uint32),
            "reason": reason,
        }
    )
    by = {"segmented_by": "CellViTSAM, checkpoint 01234567"}
    write_table(folder / f"metrics_{scale}.parquet", metrics, tables.METRICS, _SOURCE, by)


def _write_masks(folder: Path, downsample: int) -> None:
    """Every patch shows nucleus 1 (a square, T_NK) and nucleus 3 (a bar at the left border, Epithelial)."""
    rows, columns = _grid(downsample)
    one = np.zeros((SIDE_PX, SIDE_PX), dtype=np.uint32)
    one[20:40, 20:40] = 1
    one[5:15, 0:30] = 3
    with MasksWriter(folder, rows, columns, SIDE_PX, _SOURCE) as writer:
        for row in range(rows):
            writer.write_maps(row, np.stack([one] * columns))
        patch = np.repeat(np.arange(rows * columns, dtype=np.uint32), 2)
        writer.write_table(
            {
                "patch_id": patch,
                "nucleus_id": np.tile([1, 3], rows * columns).astype(np.uint32),
                "class_index": np.tile([1, 6], rows * columns).astype(np.uint8),
                "visible_px": np.tile([400, 300], rows * columns).astype(np.uint32),
                "visible_fraction": np.ones(len(patch), dtype=np.float32),
                "touches_border": np.tile([False, True], rows * columns),
            }
        )
        source = {"source": "polygons", "difference": None, "difference_reason": "no_raster"}
        um_per_px = 1.2 * PIXEL_SIZE_UM * downsample
        writer.finish({"um_per_px": um_per_px, "n_slivers": 7, **source})


def _write_findings(folder: Path) -> None:
    facts = {"he": {"width_px": HE_SHAPE[1], "notes": list(range(20))}, "xoa": None}
    preflight = {"slide": SLIDE, "facts": facts, "problems": ["the H&E says nothing of its <size>"]}
    write_record(folder / "preflight.json", preflight, _SOURCE)
    tiles = pd.DataFrame(
        {
            "tile": np.arange(3, dtype=np.uint32),
            "x_um": [10.0, 30.0, 50.0],
            "y_um": 20.0,
            "n_nuclei": np.array([40, 30, 0], dtype=np.uint32),
            "correlation": [0.6, 0.5, None],
            **{
                f"correlation_{um}um": [0.6 / (1 + um), 0.5 / (1 + um), None] for um in (1, 2, 4, 8)
            },
            "best_correlation": [0.7, 0.6, None],
            "dx_um": [0.3, -0.2, None],
            "dy_um": [0.0, 0.4, None],
            "residual_um": [0.3, 0.5, None],
            "n_matched": pd.array([30, 25, None], dtype="UInt32"),
            "matched_um": [0.7, 0.8, None],
            "reason": [None, None, "no_nucleus"],
        }
    )
    write_table(folder / "registration.parquet", tiles, tables.REGISTRATION, _SOURCE)
    evidence = pd.DataFrame(
        {
            "cluster": ["0", "1"],
            "parent": [None, None],
            "n_cells": np.array([1, 1], dtype=np.uint32),
            "purity": np.array([1, 0.5], dtype=np.float32),
            "neighbour_purity": np.array([0.9, np.nan], dtype=np.float32),
            "tangram_label": ["T cell CD4/CD8", None],
            "tangram_class": ["T_NK", None],
            "tangram_share": np.array([0.9, np.nan], dtype=np.float32),
            "marker_label": ["T_CD8", "Epithelial"],
            "marker_class": ["T_NK", "Epithelial"],
            "marker_score": np.array([1.5, 1.0], dtype=np.float32),
            "marker_margin": np.array([0.7, 0.035], dtype=np.float32),
            "top_genes": ["CD3E,MS4A1", "EPCAM"],
            "final_label": ["T_NK", "Epithelial"],
            "label1": ["T", "Epithelial"],
            "label2": ["T_CD8", "Epithelial"],
            "label3": ["normal_cell", "cancer_cell"],
            "label3_reason": ["T_NK is not what the tumour grows from", "the label: cancer"],
            "decided_by": ["agreement", "markers"],
            "reason": ["Tangram and markers agree", "markers lead & Tangram is silent"],
            "cluster_key": ["cluster:0@1.AAAAB", None],
        }
    )
    overrides = pd.DataFrame(
        {
            "line": np.array([2, 2, 4], dtype=np.uint32),
            "target": ["cluster 1", "cluster 1", "region of <nest>.geojson"],
            "from_class": ["T_NK", "Epithelial", None],
            "from_label": ["T_CD8", "Epithelial", None],
            "to_class": ["Epithelial", "Epithelial", "T_NK"],
            "to_label": ["Epithelial", "Epithelial", "T_CD8"],
            "n_cells": np.array([1200, 300, 0], dtype=np.uint32),
            "n_kept": np.array([1100, 300, 0], dtype=np.uint32),
            "who": ["A. Pathologist", "A. Pathologist", "B"],
            "when": "2026-01-31",
            "why": ["keratin & EPCAM", "keratin & EPCAM", "lymphoid"],
        }
    )
    write_table(folder / "overrides.parquet", overrides, tables.OVERRIDES, _SOURCE)
    second = {"class_name": "T_NK", "n_objects": 1200, "share": 0.75}
    facts = {"second_opinion": [second | {"rival": "B_Plasma", "rival_share": 0.2}]}
    write_table(folder / "evidence.parquet", evidence, tables.EVIDENCE, _SOURCE, facts)
    for name in ("registration/overlay", "registration/checkerboard_1", "refine/class_map"):
        path = folder / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(he_pixels()).save(path)
