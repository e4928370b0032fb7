import importlib.util

import anndata
import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import box

from slides.drawn_nuclei import outlines_of, write_geojson
from sthelar_build.core.nucleus_overlaps import overlapping_pairs
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.records import read_record
from sthelar_build.io.tables import check_table, read_attributes, read_provenance
from sthelar_build.schema import tables
from sthelar_build.settings.count import CountSettings
from sthelar_build.settings.ingest import IngestSettings
from sthelar_build.settings.resegment import ResegmentSettings
from sthelar_build.stages import count, ingest, resegment

PIXEL_UM = 0.2125
IN_UM = {"geojson_units": "um", "min_area_um2": 0}


def run(toy, out, nuclei=None, source="geojson", **settings):
    path = out / "resegmented.parquet"
    given = ResegmentSettings(source=source, **settings)
    resegment.run(toy.raw / "xenium", path, given, nuclei=nuclei)
    return path


def ingested(toy, out, resegmented, expansion_um):
    names = ("nuclei.parquet", "cells.parquet", "transcripts.parquet", "bundle.json")
    paths = [out / name for name in names]
    settings = IngestSettings(expansion_um=expansion_um)
    ingest.run(toy.raw / "xenium", *paths, settings, resegmented=resegmented)
    return paths


@pytest.fixture(scope="module")
def own(counted_toy, tmp_path_factory):
    """The toy slide with its own nuclei, by way of a GeoJSON file, and cells that are just these."""
    out = tmp_path_factory.mktemp("own")
    drawn = write_geojson(out / "own.geojson", outlines_of(counted_toy.results / "nuclei.parquet"))
    paths = ingested(counted_toy, out, run(counted_toy, out, drawn, **IN_UM), 0)
    counts = [out / "counts_nuclei.h5ad", out / "counts_cells.h5ad"]
    nuclei, cells, transcripts, bundle = paths
    count.run(transcripts, nuclei, cells, bundle, *counts, CountSettings())
    return out


def test_outlines_come_as_they_are_drawn_with_new_ids_and_their_source(own, counted_toy):
    found = geopandas.read_parquet(own / "resegmented.parquet")
    drawn = outlines_of(counted_toy.results / "nuclei.parquet")
    assert shapely.equals_exact(found.geometry.to_numpy(), drawn).all()
    assert found["source_id"].tolist()[:2] == ["n1", "n2"]
    assert found["cell_id"].is_unique
    attributes = read_attributes(own / "resegmented.parquet")
    assert (attributes["source"], attributes["left_out"]) == ("geojson", {})
    assert read_provenance(own / "resegmented.parquet")["inputs"]["nuclei"]["file"] == "own.geojson"


def test_by_its_own_nuclei_every_transcript_lies_where_the_bundle_says(own, counted_toy):
    columns = ["transcript_id", "overlaps_nucleus", "cell_id"]
    before = pd.read_parquet(counted_toy.results / "transcripts.parquet", columns=columns)
    after = pd.read_parquet(own / "transcripts.parquet", columns=columns)
    assert before["overlaps_nucleus"].sum() > 1000
    moved = before[after["overlaps_nucleus"] != before["overlaps_nucleus"]]
    # The bundle shows four rings that cross themselves, so not the nuclei by which the simulator has placed the molecules.
    nuclei = pd.read_parquet(own / "nuclei.parquet", columns=["repaired"])
    shown = pd.read_parquet(counted_toy.results / "nuclei.parquet", columns=["cell_id", "repaired"])
    assert nuclei["repaired"].sum() == 0
    assert moved["cell_id"].isin(shown.loc[shown["repaired"], "cell_id"]).all()
    assert len(moved) < 10
    assert (after["cell_id"].notna() == after["overlaps_nucleus"]).all()


def test_by_its_own_nuclei_every_nucleus_has_the_counts_that_it_had(own, counted_toy):
    before = anndata.read_h5ad(counted_toy.results / "counts_nuclei.h5ad")
    after = anndata.read_h5ad(own / "counts_nuclei.h5ad")
    shown = counted_toy.results / "nuclei.parquet"
    upper, lower = overlapping_pairs(outlines_of(shown))
    crossed = np.flatnonzero(pd.read_parquet(shown, columns=["repaired"])["repaired"])
    # Where nuclei overlap, the simulator gives a molecule to the first, and we to the smaller.
    alone = np.setdiff1d(np.arange(before.n_obs), [*upper, *lower, *crossed])
    assert len(alone) > 0.9 * before.n_obs
    assert (before[alone].X != after[alone].X).nnz == 0


def test_all_artefacts_keep_their_columns_and_the_bundle_says_where_nuclei_come_from(
    own, counted_toy
):
    for name, schema in (
        ("nuclei", tables.NUCLEI),
        ("cells", tables.CELLS),
        ("transcripts", tables.TRANSCRIPTS),
    ):
        check_table(own / f"{name}.parquet", schema)
    assert read_record(own / "bundle.json")["nuclei_source"] == "geojson"
    assert read_record(counted_toy.results / "bundle.json")["nuclei_source"] == "xenium"


def test_cells_that_grow_hold_more_and_nuclei_the_same(own, toy, tmp_path):
    ingested(toy, tmp_path, own / "resegmented.parquet", 5)
    before = pd.read_parquet(own / "transcripts.parquet", columns=["cell_id", "overlaps_nucleus"])
    after = pd.read_parquet(
        tmp_path / "transcripts.parquet", columns=["cell_id", "overlaps_nucleus"]
    )
    assert after["overlaps_nucleus"].equals(before["overlaps_nucleus"])
    nuclear = before["overlaps_nucleus"]
    assert after.loc[nuclear, "cell_id"].equals(before.loc[nuclear, "cell_id"])
    assert after["cell_id"].notna().sum() > 1.2 * nuclear.sum()
    cells = geopandas.read_parquet(tmp_path / "cells.parquet")
    held = geopandas.GeoSeries.from_xy(
        *pd.read_parquet(tmp_path / "transcripts.parquet")[["x_um", "y_um"]]
        .head(2000)
        .to_numpy(float)
        .T
    )
    inside = held.to_frame("geometry").sjoin(cells[["cell_id", "geometry"]], predicate="within")
    assert (after["cell_id"].reindex(inside.index) == inside["cell_id"]).all()


def test_pixels_of_the_morphology_image_are_what_is_expected_if_nothing_is_said(toy, tmp_path):
    drawn = write_geojson(tmp_path / "a.geojson", [box(20, 30, 26, 36)], PIXEL_UM)
    found = geopandas.read_parquet(run(toy, tmp_path, drawn))
    assert found.geometry[0].bounds == pytest.approx((20, 30, 26, 36))


def test_what_is_left_out_is_said(toy, tmp_path, caplog):
    shapes = [box(20, 30, 26, 36), box(20, 30, 26, 36), box(-90, 0, -80, 10), box(50, 50, 50.5, 51)]
    drawn = write_geojson(tmp_path / "a.geojson", shapes, PIXEL_UM)
    with caplog.at_level("INFO"):
        path = run(toy, tmp_path, drawn)
    said = "kept 1 of 4 outlines; left out: covered by smaller ones (1), outside the image (1), too small (1)"
    assert said in caplog.text
    assert read_attributes(path)["n_nuclei"] == 1


@pytest.mark.parametrize(
    ("scale", "found"),
    [(PIXEL_UM / 20, "beyond the morphology image"), (1.0, "taking the file to be in morphology")],
)
def test_a_file_in_other_units_is_refused(toy, tmp_path, scale, found):
    drawn = write_geojson(tmp_path / "a.geojson", [box(20, 30, 26, 36), box(60, 60, 66, 66)], scale)
    with pytest.raises(
        InputError, match=rf"a\.geojson: expected nuclei of the slide, found .*{found}.*H&E"
    ):
        run(toy, tmp_path, drawn)
    assert not (tmp_path / "resegmented.parquet").exists()


def test_a_file_without_nuclei_is_refused(toy, tmp_path):
    with pytest.raises(InputError, match="found none"):
        run(toy, tmp_path, write_geojson(tmp_path / "a.geojson", []))


def test_the_nuclei_of_the_bundle_and_a_file_that_is_not_named_are_refused(toy, tmp_path):
    with pytest.raises(ConfigError, match="found xenium"):
        run(toy, tmp_path, source="xenium")
    with pytest.raises(ConfigError, match="found no --nuclei"):
        run(toy, tmp_path)


@pytest.mark.skipif(importlib.util.find_spec("cellpose") is not None, reason="cellpose is there")
def test_without_the_package_cellpose_the_user_is_told_how_to_get_it(toy, tmp_path):
    with pytest.raises(ConfigError, match=r'pip install "sthelar_build\[segment\]"'):
        run(toy, tmp_path, source="cellpose")
