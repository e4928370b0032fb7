"""What the workflow finds on the toy slides, against what is known of them."""

import json

import anndata
import geopandas
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import shapely

from sthelar_build.io.masks import open_masks
from sthelar_build.io.tables import read_attributes
from sthelar_build.io.transform import read_transform

pytestmark = pytest.mark.workflow

SLIDES = ("toy_breast", "toy_skin", "toy_auto")


def truth(built, slide, table):
    return geopandas.read_parquet(built.folder / f"resources/toy/{slide}/truth/{table}.parquet")


@pytest.mark.parametrize("slide", SLIDES)
def test_at_least_95_of_100_cells_get_their_class(built, slide):
    results = built.folder / "results" / slide
    labels = pd.read_parquet(results / "labels.parquet").set_index("cell_id").final_label
    counts = anndata.read_h5ad(results / "counts_cells.h5ad").obs
    transcripts = counts.set_index(counts.cell_id.astype(str)).transcript_counts
    classes = truth(built, slide, "cells").set_index("cell_id").class_name
    assert set(labels.index) == set(classes.index)
    expected = classes.where(transcripts.loc[classes.index] >= 10, "Other")
    assert (labels.loc[classes.index] == expected).mean() >= 0.95


@pytest.mark.parametrize("slide", SLIDES)
def test_every_class_of_the_tissue_is_found(built, slide):
    labels = pd.read_parquet(built.folder / f"results/{slide}/labels.parquet").final_label
    classes = truth(built, slide, "cells").class_name
    assert set(classes) <= set(labels)
    assert classes.nunique() >= 7


@pytest.mark.parametrize("slide", SLIDES)
@pytest.mark.parametrize("scale", ["40x", "20x"])
def test_drawn_nuclei_are_the_true_polygons_pixel_by_pixel(built, slide, scale):
    """Every nucleus of a sample of patches, redrawn by another library from the truth."""
    results = built.folder / "results" / slide
    masks = open_masks(results / f"masks_{scale}")
    downsample = read_attributes(results / f"patches_{scale}.parquet")["downsample"]
    patches = pd.read_parquet(results / f"patches_{scale}.parquet").set_index("patch_id")
    nuclei = truth(built, slide, "nuclei").set_index("nucleus_id")
    registered = read_transform(results / "transform.json")
    outlines = registered.um_to_he.apply_to_geometries(nuclei.geometry.to_numpy())
    outlines = pd.Series(
        shapely.transform(outlines, lambda xy: xy / downsample), index=nuclei.index
    )
    tree = shapely.STRtree(outlines.to_numpy())
    side = masks.manifest["side_px"]
    ious = []
    for patch_id in masks.table.patch_id.unique()[::9]:
        corner = patches.loc[patch_id, ["x_px", "y_px"]].to_numpy(dtype=float)
        drawn = masks.instances(patch_id)
        near = outlines.iloc[tree.query(shapely.box(*corner, *(corner + side)))]
        ious += [iou(drawn == nucleus, outline, corner, near.drop(nucleus)) for nucleus, outline in
                 near.loc[np.unique(drawn[drawn > 0])].items()]  # fmt: skip
    assert len(ious) > 200
    assert min(ious) >= 0.99


def iou(drawn, outline, corner, others):
    """Intersection over union of a drawn nucleus with its polygon, less what smaller nuclei cover of it."""
    ys, xs = np.mgrid[: drawn.shape[0], : drawn.shape[1]] + 0.5
    true = shapely.contains_xy(outline, xs + corner[0], ys + corner[1])
    for other in others[(shapely.area(others.to_numpy()) <= outline.area)]:
        if other.intersects(outline):
            true &= ~shapely.contains_xy(other, xs + corner[0], ys + corner[1])
    return (drawn & true).sum() / max((drawn | true).sum(), 1)


@pytest.mark.parametrize("slide", SLIDES)
@pytest.mark.parametrize("scale", ["40x", "20x"])
def test_patches_are_covered_as_far_as_the_true_rectangle_of_the_run_reaches(built, slide, scale):
    patches = pd.read_parquet(built.folder / f"results/{slide}/patches_{scale}.parquet")
    patches = patches[patches.complete & patches.covered_fraction.notna()]
    facts = json.loads((built.folder / f"resources/toy/{slide}/truth/truth.json").read_text())
    matrix = np.array(facts["matrix"])
    end = patches[["x_he_px", "y_he_px"]].add(patches.side_he_px, axis=0)
    squares = shapely.box(patches.x_he_px, patches.y_he_px, end.x_he_px, end.y_he_px)
    placed = shapely.transform(squares, lambda xy: xy @ matrix[:2, :2].T + matrix[:2, 2])
    run = shapely.box(0, 0, facts["width_px"], facts["height_px"])
    share = shapely.area(shapely.intersection(placed, run)) / shapely.area(placed)
    covered, dense = patches.covered_fraction.to_numpy(), patches.tissue_fraction > 0.9
    assert (share > 0.999).any()
    assert covered[share > 0.999].min() > 0.999
    assert covered[share < 0.001].max(initial=0) < 0.02
    # Of the other patches the covered tissue is not quite the covered area.
    assert abs(covered - share)[dense].max(initial=0) < 0.15


@pytest.mark.parametrize("slide", SLIDES)
def test_counts_per_cell_equal_those_of_the_bundle(built, slide):
    ours = anndata.read_h5ad(built.folder / f"results/{slide}/counts_cells.h5ad")
    with h5py.File(built.folder / f"resources/toy/{slide}/xenium/cell_feature_matrix.h5") as file:
        matrix = file["matrix"]
        theirs = sp.csc_matrix(
            (matrix["data"][:], matrix["indices"][:], matrix["indptr"][:]), shape=matrix["shape"][:]
        ).T.tocsr()
        is_gene = matrix["features/feature_type"][:] == b"Gene Expression"
        names = matrix["features/name"][:].astype(str)
        barcodes = matrix["barcodes"][:].astype(str)
    assert list(ours.var_names) == list(names[is_gene])
    assert list(ours.obs_names) == list(barcodes)
    assert abs(ours.X - theirs[:, np.flatnonzero(is_gene)]).nnz == 0


@pytest.mark.parametrize("slide", SLIDES)
def test_the_hardest_cell_id_is_in_every_table(built, slide):
    """0xFFFFFFFF with suffix 12: too large for a signed integer, and longer than one digit."""
    results = built.folder / "results" / slide
    hardest = "pppppppp-12"
    assert hardest in set(pd.read_parquet(results / "labels.parquet").cell_id)
    assert hardest in set(anndata.read_h5ad(results / "counts_cells.h5ad").obs.cell_id.astype(str))
    store = results / f"sdata_{slide}.zarr" / "tables" / "table_cells"
    assert hardest in set(anndata.read_zarr(store).obs.cell_id.astype(str))
