"""Nuclei drawn into every patch, at the scale."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from shapely import box

from slides.molecules import write_molecules
from slides.pixel_slide import PixelSlide, make_pixel_slide
from slides.turned_slide import (
    PIXEL_SIZE_UM,
    TurnedSlide,
    he_side_px,
    make_turned_slide,
    turned_matrix,
)
from sthelar_build.core.correction import Correction
from sthelar_build.core.raster import instance_map
from sthelar_build.errors import InputError
from sthelar_build.io.masks import open_masks
from sthelar_build.io.provenance import provenance
from sthelar_build.io.tables import read_attributes, read_table, write_table
from sthelar_build.io.transform import Transform, read_transform, write_transform
from sthelar_build.schema.labels import patch_class_index
from sthelar_build.schema.tables import LABELS, NUCLEI, PATCHES
from sthelar_build.settings.rasterise import RasteriseSettings
from sthelar_build.settings.tile import TileSettings
from sthelar_build.stages import tile
from sthelar_build.stages.rasterise import run

SCALES = ("native", "native/2", "0.5")


@pytest.fixture(scope="module")
def slide(tmp_path_factory) -> TurnedSlide:
    slide = make_turned_slide(tmp_path_factory.mktemp("rasterise") / "slide", turned_matrix(200))
    placed = Transform(slide.he_to_morphology, "matrix", he_side_px(), he_side_px(), PIXEL_SIZE_UM)
    write_transform(slide.folder / "transform.json", placed, provenance("test"))
    return slide


def patches_of(slide, scale):
    patches = slide.folder / f"patches_{scale.replace('/', '_')}.parquet"
    if not patches.exists():
        tile.run(
            he=slide.he,
            transform=slide.folder / "transform.json",
            transcripts=write_molecules(slide.folder / "transcripts.parquet"),
            scale=scale,
            patches=patches,
            settings=TileSettings(side_px=128, overlap_px=32),
        )
    return patches


def rasterise(slide, folder, scale="native", threads=1, labels=None, **settings):
    run(
        nuclei=slide.nuclei_table,
        labels=labels or slide.labels,
        transform=slide.folder / "transform.json",
        patches=patches_of(slide, scale),
        masks=folder / "masks",
        settings=RasteriseSettings(**settings),
        threads=threads,
    )
    return open_masks(folder / "masks")


@pytest.mark.parametrize("scale", SCALES)
def test_every_patch_shows_the_nuclei_at_its_place_and_scale(slide, tmp_path, scale):
    masks = rasterise(slide, tmp_path, scale)
    patches = patches_of(slide, scale)
    downsample = read_attributes(patches)["downsample"]
    on_he = slide.um_to_he.apply_to_geometries(slide.nuclei.geometry.to_numpy())
    for patch in read_table(patches, PATCHES).itertuples():
        corner = patch.x_px, patch.y_px
        here = shapely.transform(on_he, lambda xy, at=corner: xy / downsample - at)
        expected = instance_map(here, slide.nuclei.nucleus_id, (128, 128), min_visible_px=10)
        if not patch.complete:
            expected[:] = 0
        np.testing.assert_array_equal(masks.instances(patch.patch_id), expected)


def test_the_table_counts_what_stands_in_the_masks(slide, tmp_path):
    masks = rasterise(slide, tmp_path)
    assert (masks.table.visible_px >= 10).all()
    for patch_id, rows in masks.table.groupby("patch_id"):
        ids, counts = np.unique(masks.instances(patch_id), return_counts=True)
        assert rows.nucleus_id.tolist() == ids[ids > 0].tolist()
        assert rows.visible_px.tolist() == counts[ids > 0].tolist()
    drawn = [patch for patch in range(masks.n_patches) if masks.instances(patch).any()]
    assert masks.table.patch_id.unique().tolist() == drawn


def test_every_nucleus_has_the_published_class_of_its_cell(slide, tmp_path):
    masks = rasterise(slide, tmp_path)
    label = read_table(slide.labels, LABELS).set_index("cell_id").final_label
    cell = slide.nuclei.set_index("nucleus_id").cell_id
    expected = masks.table.nucleus_id.map(cell).map(label).map(patch_class_index)
    assert masks.table.class_index.tolist() == expected.tolist()
    assert set(masks.table.class_index) == set(range(1, 10))


def test_the_manifest_sums_up(slide, tmp_path):
    masks = rasterise(slide, tmp_path)
    facts = read_attributes(patches_of(slide, "native"))
    assert masks.manifest["n_patches"] == facts["rows"] * facts["columns"]
    assert masks.manifest["um_per_px"] == facts["um_per_px"]
    assert masks.manifest["n_instances"] == len(masks.table)
    assert sum(masks.manifest["instances_per_class"].values()) == len(masks.table)
    assert masks.manifest["n_slivers"] > 0
    assert masks.manifest["provenance"]["stage"] == "rasterise"


def test_several_threads_give_the_same_folder(slide, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "three").mkdir()
    one = rasterise(slide, tmp_path / "one")
    three = rasterise(slide, tmp_path / "three", threads=3)
    np.testing.assert_array_equal(
        one.instances_between(0, one.n_patches), three.instances_between(0, three.n_patches)
    )
    assert one.manifest == three.manifest
    pd.testing.assert_frame_equal(one.table, three.table)
    assert pq.read_schema(one.folder / "instances.parquet").metadata is not None


def test_min_visible_px_0_draws_every_pixel(slide, tmp_path):
    masks = rasterise(slide, tmp_path, min_visible_px=0)
    assert masks.table.visible_px.min() < 10
    assert masks.manifest["n_slivers"] == 0


def test_a_nucleus_without_a_label_is_refused(slide, tmp_path):
    labels = read_table(slide.labels, LABELS).iloc[1:]
    write_table(tmp_path / "labels.parquet", labels, LABELS, provenance("test"))
    with pytest.raises(InputError, match="found none for 2 nuclei, the first of cell cell0-1"):
        rasterise(slide, tmp_path, labels=tmp_path / "labels.parquet")
    assert not (tmp_path / "masks").exists()


def test_an_unknown_class_is_refused(slide, tmp_path):
    labels = read_table(slide.labels, LABELS)
    labels.loc[3, "final_label"] = "Fibrablast"
    write_table(tmp_path / "labels.parquet", labels, LABELS, provenance("test"))
    with pytest.raises(InputError, match="found 'Fibrablast'"):
        rasterise(slide, tmp_path, labels=tmp_path / "labels.parquet")


def test_a_failure_leaves_the_previous_masks(slide, tmp_path, monkeypatch):
    before = rasterise(slide, tmp_path).manifest
    monkeypatch.setattr("sthelar_build.io.masks.MasksWriter.finish", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        rasterise(slide, tmp_path)
    assert json.loads((tmp_path / "masks" / "manifest.json").read_text()) == before
    assert [path.name for path in tmp_path.iterdir()] == ["masks"]


def test_nuclei_of_a_distorted_section_land_where_the_truth_says(slide, tmp_path):
    def moved(points_um):
        return points_um + 10 * np.sin(points_um[:, ::-1] * 2 * np.pi / 300)

    columns_rows = np.indices((18, 18))[::-1]
    nodes_um = columns_rows.reshape(2, -1).T * 20.0 - 20
    shift_um = (moved(nodes_um) - nodes_um).reshape(18, 18, 2)
    placed = replace(
        read_transform(slide.folder / "transform.json"),
        correction=Correction(-20, -20, 20, shift_um),
    )
    write_transform(tmp_path / "transform.json", placed, provenance("test"))
    run(
        nuclei=slide.nuclei_table,
        labels=slide.labels,
        transform=tmp_path / "transform.json",
        patches=patches_of(slide, "native"),
        masks=tmp_path / "masks",
        settings=RasteriseSettings(),
    )
    masks = open_masks(tmp_path / "masks")
    patches = read_table(patches_of(slide, "native"), PATCHES).set_index("patch_id")
    truth_px = slide.um_to_he.apply(moved(slide.nuclei[["x_um", "y_um"]].to_numpy()))
    whole = masks.table[~masks.table.touches_border & (masks.table.visible_fraction > 0.97)]
    off_px = []
    for entry in whole.itertuples():
        rows, columns = np.nonzero(masks.instances(entry.patch_id) == entry.nucleus_id)
        corner = patches.loc[entry.patch_id, ["x_px", "y_px"]].to_numpy(float)
        seen_px = corner + np.array([columns.mean(), rows.mean()]) + 0.5
        off_px.append(np.linalg.norm(seen_px - truth_px[entry.nucleus_id - 1]))
    assert len(off_px) > 200
    assert np.quantile(off_px, 0.95) < 0.7


@pytest.fixture(scope="module")
def pixel_slide(tmp_path_factory) -> PixelSlide:
    return make_pixel_slide(tmp_path_factory.mktemp("raster") / "slide")


def from_source(slide, folder, scale="native", threads=1, **given):
    """Run with the files of the slide unless others are given; the rest are settings."""
    folder.mkdir(exist_ok=True)
    files = {"nuclei": slide.nuclei_table, "transform": slide.transform, "xenium": slide.xenium}
    run(
        labels=slide.labels,
        patches=patches_of(slide.turned, scale),
        masks=folder / "masks",
        settings=RasteriseSettings(**{k: v for k, v in given.items() if k not in files}),
        threads=threads,
        **{name: given.get(name, path) for name, path in files.items()},
    )
    return open_masks(folder / "masks")


@pytest.mark.parametrize("scale", SCALES)
def test_both_sources_agree_where_the_outlines_follow_the_pixels(pixel_slide, tmp_path, scale):
    polygons = from_source(pixel_slide, tmp_path / "polygons", scale)
    raster = from_source(pixel_slide, tmp_path / "raster", scale, source="raster")
    everything = 0, raster.n_patches
    np.testing.assert_array_equal(
        polygons.instances_between(*everything), raster.instances_between(*everything)
    )
    pd.testing.assert_frame_equal(polygons.table, raster.table)
    assert (polygons.manifest["source"], raster.manifest["source"]) == ("polygons", "raster")
    found = raster.manifest["difference"]
    assert found["foreground_iou"] == found["nucleus_iou_p05"] == 1
    assert found["n_common"] > 0
    assert (found["n_polygons_only"], found["n_raster_only"]) == (0, 0)
    assert polygons.manifest["difference"] == found
    assert "cells_zarr" in raster.manifest["provenance"]["inputs"]


def test_every_patch_shows_the_raster_pixel_at_each_of_its_centres(pixel_slide, tmp_path):
    masks = from_source(pixel_slide, tmp_path, source="raster", min_visible_px=0)
    raster, matrix = pixel_slide.raster, pixel_slide.turned.he_to_morphology
    table = read_table(pixel_slide.nuclei_table, NUCLEI)
    known = np.zeros(raster.max() + 1, dtype=np.uint32)
    known[table.raster_label] = table.nucleus_id
    y, x = (axis.ravel() + 0.5 for axis in np.indices((128, 128)))
    for patch in read_table(patches_of(pixel_slide.turned, "native"), PATCHES).itertuples():
        if not patch.complete:
            continue
        places = matrix.apply(np.stack([x + patch.x_px, y + patch.y_px], axis=1))
        columns, rows = np.floor(places).astype(int).T
        inside = (rows >= 0) & (rows < len(raster)) & (columns >= 0) & (columns < len(raster))
        labels = np.zeros(len(rows), dtype=int)
        labels[inside] = raster[rows[inside], columns[inside]]
        expected = known[labels]
        np.testing.assert_array_equal(masks.instances(patch.patch_id).ravel(), expected)


def test_several_threads_sample_the_same_masks(pixel_slide, tmp_path):
    one = from_source(pixel_slide, tmp_path / "one", source="raster")
    three = from_source(pixel_slide, tmp_path / "three", source="raster", threads=3)
    np.testing.assert_array_equal(
        one.instances_between(0, one.n_patches), three.instances_between(0, three.n_patches)
    )
    assert one.manifest == three.manifest


def test_a_raster_of_smooth_nuclei_differs_by_its_pixels(slide, pixel_slide, tmp_path):
    """A raster is wrong on a seam of a quarter of its pixel along every outline."""
    side_um = len(pixel_slide.raster) * PIXEL_SIZE_UM
    shapes = shapely.intersection(slide.nuclei.geometry.to_numpy(), box(0, 0, side_um, side_um))
    labels = slide.nuclei.nucleus_id * 3 + 7
    smooth = slide.nuclei.assign(geometry=shapes, raster_label=labels)
    write_table(tmp_path / "nuclei.parquet", smooth, NUCLEI, provenance("test"))
    masks = from_source(pixel_slide, tmp_path, nuclei=tmp_path / "nuclei.parquet")
    tissue = shapely.union_all(shapes)
    seam = tissue.length * PIXEL_SIZE_UM / 4 / tissue.area
    expected = (1 - seam / 2) / (1 + seam / 2)
    assert 0.97 < expected < 0.99
    found = masks.manifest["difference"]
    assert found["foreground_iou"] == pytest.approx(expected, abs=0.004)
    assert found["nucleus_iou_median"] == pytest.approx(expected, abs=0.01)


def test_a_corrected_section_is_sampled_where_its_nuclei_are_drawn(pixel_slide, tmp_path):
    nodes_um = np.indices((18, 18))[::-1].reshape(2, -1).T * 20.0 - 20
    shift_um = 10 * np.sin(nodes_um[:, ::-1] * 2 * np.pi / 300).reshape(18, 18, 2)
    placed = read_transform(pixel_slide.transform)
    bent = replace(placed, correction=Correction(-20, -20, 20, shift_um))
    write_transform(tmp_path / "transform.json", bent, provenance("test"))
    found = from_source(pixel_slide, tmp_path, transform=tmp_path / "transform.json").manifest[
        "difference"
    ]
    # Outlines bend at their corners only, which lie a pixel apart.
    assert found["foreground_iou"] > 0.995
    assert found["nucleus_iou_p05"] > 0.98


def test_without_a_raster_outlines_are_drawn_and_the_manifest_says_why(pixel_slide, tmp_path):
    (tmp_path / "bundle").mkdir()
    masks = from_source(pixel_slide, tmp_path, xenium=tmp_path / "bundle")
    assert masks.manifest["difference"] is None
    assert masks.manifest["difference_reason"] == "no_raster"
    assert len(masks.table)
    off = from_source(pixel_slide, tmp_path, compared_patches=0)
    assert off.manifest["difference_reason"] == "not_run"


def test_the_source_raster_without_a_raster_is_refused(pixel_slide, tmp_path):
    (tmp_path / "bundle").mkdir()
    with pytest.raises(InputError, match="expected the cell store"):
        from_source(pixel_slide, tmp_path, xenium=tmp_path / "bundle", source="raster")
    assert not (tmp_path / "masks").exists()


def test_nuclei_of_another_segmentation_are_refused_as_a_raster(pixel_slide, tmp_path):
    table = read_table(pixel_slide.nuclei_table, NUCLEI)
    path = tmp_path / "nuclei.parquet"
    write_table(path, table.assign(raster_label=None), NUCLEI, provenance("test"))
    with pytest.raises(InputError, match="another segmentation have no raster in the bundle"):
        from_source(pixel_slide, tmp_path, nuclei=path, source="raster")
    others = table.assign(raster_label=table.raster_label.to_numpy()[::-1])
    write_table(path, others, NUCLEI, provenance("test"))
    with pytest.raises(
        InputError, match=r"of another segmentation; use rasterise\.source: polygons"
    ):
        from_source(pixel_slide, tmp_path, nuclei=path, source="raster")
    drawn = from_source(pixel_slide, tmp_path, nuclei=path)
    assert drawn.manifest["difference"]["nucleus_iou_median"] < 0.3
