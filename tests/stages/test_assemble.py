import inspect
import json
import zipfile
from dataclasses import replace

import anndata
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import spatialdata
import zarr
from scipy.ndimage import map_coordinates
from spatialdata.transformations import get_transformation

from slides import three_cells
from sthelar_build.core.correction import Correction
from sthelar_build.errors import InputError
from sthelar_build.io.counts import read_h5ad, write_h5ad
from sthelar_build.io.features import FeatureRows, write_features
from sthelar_build.io.provenance import provenance
from sthelar_build.io.transform import read_transform, write_transform
from sthelar_build.schema import elements
from sthelar_build.settings.assemble import AssembleSettings
from sthelar_build.stages import assemble


def _run(files, store, **changes):
    arguments = {n: files[n] for n in inspect.signature(assemble.run).parameters if n in files}
    arguments |= {
        "scale": ["40x", "20x"],
        "patches": [files["patches_40x"], files["patches_20x"]],
        "metrics": [files["metrics_40x"], files["metrics_20x"]],
        "slide": three_cells.SLIDE,
        "settings": AssembleSettings(chunk_px=128),
    }
    assemble.run(**{**arguments, **changes}, store=store)
    return store


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    folder = tmp_path_factory.mktemp("assemble")
    files = three_cells.build(folder)
    store = folder / f"sdata_{three_cells.SLIDE}.zarr"
    return _run(files, store, settings=AssembleSettings(chunk_px=128, zip=True))


@pytest.fixture(scope="module")
def sdata(slide):
    return spatialdata.read_zarr(slide)


def _mapped(sdata, name, system, point):
    matrix = get_transformation(sdata[name], system).to_affine_matrix(("x", "y"), ("x", "y"))
    return (matrix @ [*point, 1])[:2]


def test_the_store_shows_every_element(sdata):
    assert set(sdata.images) == {"he", "morpho"}
    assert set(sdata.points) == {"st"}
    assert set(sdata.shapes) == {
        "nucleus_boundaries",
        "cell_boundaries",
        "he_patches",
        "he_patches_20x",
    }
    assert set(sdata.tables) == {"table_nuclei", "table_cells", "table_combined"}


def test_cells_clustered_by_scvi_are_a_table_of_their_own(tmp_path):
    files = three_cells.build(tmp_path)
    clusters = read_h5ad(files["clusters_cells"])
    clusters.obsm["X_scVI"] = clusters.obsm.pop("X_pca")
    files["clusters_scvi"] = tmp_path / "clusters_scvi.h5ad"
    write_h5ad(files["clusters_scvi"], clusters, provenance("test"))
    sdata = spatialdata.read_zarr(_run(files, tmp_path / "sdata.zarr"))
    table = sdata["table_scvi"]
    assert "X_pca" not in table.obsm
    np.testing.assert_array_equal(table.obsm["X_scVI"][0], [0, 10, 20])


def test_features_of_image_models_are_tables_on_the_nuclei_and_null_rows_stay_null(tmp_path):
    files = three_cells.build(tmp_path)
    ids = pd.Series([1, 2, 3], dtype="uint32")
    obs = pd.DataFrame({"nucleus_id": ids, "patch_ids": ["0", "", "0,1"]})
    rows = FeatureRows.create(tmp_path / "rows", 2, 2)
    rows.write(np.array([0, 1]), np.array([[1, 2], [5, 6]], dtype=np.float32))
    path, seen = tmp_path / "features_cellvit.h5ad", np.array([True, False, True])
    write_features(path, rows, seen, obs.set_index(ids.astype(str).to_numpy()), {}, {})
    store = _run(files, tmp_path / "sdata.zarr", model=["cellvit"], features=[path])
    table = spatialdata.read_zarr(store)["features_cellvit"]
    np.testing.assert_array_equal(table.X, [[1, 2], [np.nan, np.nan], [5, 6]])
    assert table.obs["patch_ids"].tolist() == ["0", "", "0,1"]
    assert table.uns["spatialdata_attrs"]["region"] == "nucleus_boundaries"
    assert table.uns["spatialdata_attrs"]["instance_key"] == "nucleus_id"


def test_every_element_lies_in_all_three_coordinate_systems(sdata):
    placed = [*sdata.images, *sdata.points, *sdata.shapes]
    for name in placed:
        assert set(get_transformation(sdata[name], get_all=True)) == {"global", "he", "um"}


def test_a_point_in_um_maps_to_the_right_he_pixel(sdata):
    he_px = np.array([100.0, 50.0])
    morphology_px = (three_cells.MATRIX @ [*he_px, 1])[:2]
    um = morphology_px * three_cells.PIXEL_SIZE_UM
    np.testing.assert_allclose(_mapped(sdata, "nucleus_boundaries", "he", um), he_px)
    np.testing.assert_allclose(_mapped(sdata, "st", "global", um), morphology_px)
    np.testing.assert_allclose(_mapped(sdata, "he", "um", he_px), um)
    np.testing.assert_allclose(_mapped(sdata, "he_patches", "global", he_px), morphology_px)
    np.testing.assert_allclose(_mapped(sdata, "morpho", "he", morphology_px), he_px)
    np.testing.assert_allclose(_mapped(sdata, "st", "um", um), um)


def test_images_keep_every_level_of_their_files_and_end_in_one_chunk(sdata):
    he = three_cells.he_pixels().transpose(2, 0, 1)
    levels = [sdata["he"][scale]["image"] for scale in sdata["he"]]
    assert [level.shape for level in levels] == [(3, 300, 230), (3, 150, 115), (3, 75, 57)]
    np.testing.assert_array_equal(levels[0], he)
    np.testing.assert_array_equal(levels[1], he[:, ::2, ::2])
    assert list(levels[0].coords["c"].values) == ["r", "g", "b"]
    morphology = sdata["morpho"]["scale0"]["image"]
    np.testing.assert_array_equal(morphology, three_cells.morphology_pixels())
    assert list(morphology.coords["c"].values) == ["DAPI", "ATP1A1/CD45/E-Cadherin"]


def test_an_added_level_is_the_mean_of_two_by_two_pixels(sdata):
    above = sdata["he"]["scale1"]["image"].values[:, :150, :114].astype(float)
    means = above.reshape(3, 75, 2, 57, 2).mean(axis=(2, 4))
    np.testing.assert_array_equal(sdata["he"]["scale2"]["image"], np.floor(means + 0.5))


def test_plain_zarr_reads_the_images_in_the_chunks_asked_for(slide):
    he = zarr.open_array(slide / "images" / "he" / "s0", mode="r")
    assert he.chunks == (3, 128, 128)
    np.testing.assert_array_equal(he[:], three_cells.he_pixels().transpose(2, 0, 1))
    assert zarr.open_array(slide / "images" / "morpho" / "s0", mode="r").chunks == (1, 128, 128)


def test_points_keep_all_molecules_in_their_order(sdata):
    points = sdata["st"].compute()
    assert list(points.columns[:3]) == ["x", "y", "z"]
    assert points["transcript_id"].tolist() == [9, 8, 7, 6, 2**63 + 5]
    assert points["feature_name"].tolist()[-1] == "NegControl_1"
    assert points["cell_id"].isna().tolist() == [False, False, False, False, True]
    np.testing.assert_array_equal(points["x"], [22, 34, 52, 70, 1])


def test_shapes_carry_the_ids_that_masks_and_tables_use(sdata):
    assert sdata["nucleus_boundaries"].index.tolist() == [1, 2, 3]
    assert sdata["nucleus_boundaries"].area.tolist() == [36, 24, 64]
    assert sdata["cell_boundaries"].index.tolist() == list(three_cells.CELLS[:2])


def test_patches_hold_bounds_and_metrics_and_the_reason_where_there_are_none(sdata):
    patches = sdata["he_patches"]
    assert len(patches) == 12
    assert patches.loc[5, ["xmin", "ymin", "xmax", "ymax"]].tolist() == [64, 64, 128, 128]
    assert patches.geometry.loc[5].bounds == (64, 64, 128, 128)
    assert patches.loc[2, "Jaccard"] == pytest.approx(0.34)
    assert np.isnan(patches.loc[5, "Dice"])
    assert patches.loc[5, "reason"] == "no_nucleus"
    assert len(sdata["he_patches_20x"]) == 2


def test_expression_is_log_normalised_for_every_row_and_raw_in_the_layer(sdata):
    table = sdata["table_cells"]
    expected = np.log1p(
        three_cells.CELL_COUNTS / three_cells.CELL_COUNTS.sum(axis=1, keepdims=True) * 1e4
    )
    np.testing.assert_allclose(table.X.toarray(), expected, rtol=1e-6)
    np.testing.assert_array_equal(table.layers["count"].toarray(), three_cells.CELL_COUNTS)
    assert table.var["gene_id"].tolist() == ["ENSG0", "ENSG1", "ENSG2", "ENSG3"]


def test_rows_know_their_label_and_what_speaks_for_it(sdata):
    obs = sdata["table_cells"].obs
    assert obs["final_label"].tolist() == list(three_cells.CLASSES)
    assert obs["ct_tangram"].tolist()[:2] == list(three_cells.FINE_LABELS)
    assert obs["leiden_0.4"].tolist()[:2] == ["0", "1"]
    assert obs.loc[three_cells.CELLS[2], ["ct_tangram", "leiden_0.4", "cluster"]].isna().all()
    assert obs["confidence"].tolist() == pytest.approx([0.9, 0.6, 0.0])
    assert obs["control_probe_counts"].tolist() == [0, 1, 2]
    assert set(obs["slide"]) == {three_cells.SLIDE}


def test_a_nucleus_has_the_label_of_its_cell(sdata):
    obs = sdata["table_nuclei"].obs
    assert obs["nucleus_id"].tolist() == [1, 2, 3]
    assert obs["cell_id"].tolist() == list(three_cells.OWNERS)
    assert obs["final_label"].tolist() == ["T_NK", "T_NK", "Epithelial"]


def test_objects_left_out_of_clustering_have_nan_rows(sdata):
    table = sdata["table_nuclei"]
    assert np.isnan(table.obsm["X_pca"]).all(axis=1).tolist() == [False, True, False]
    np.testing.assert_array_equal(table.obsm["X_umap"][[0, 2]], [[0, 0], [1, -1]])
    np.testing.assert_allclose(table.obsm["tangram_pred"][[0, 2]], three_cells.SCORES)
    assert table.uns["tangram_labels"].tolist() == list(three_cells.FINE_LABELS)
    np.testing.assert_array_equal(table.obsm["spatial"], [[23, 23], [32, 23], [54, 44]])


def test_the_combined_table_adds_the_counts_of_all_nuclei_of_a_cell(sdata):
    table = sdata["table_combined"]
    np.testing.assert_array_equal(table.layers["count"].toarray(), three_cells.CELL_COUNTS)
    np.testing.assert_array_equal(
        table.layers["nucleus_count"].toarray(), [[5, 0, 1, 0], [0, 5, 0, 2], [0, 0, 0, 0]]
    )


def test_tables_are_linked_to_their_shapes(sdata):
    shapes, table = spatialdata.join_spatialelement_table(
        sdata=sdata,
        spatial_element_names="nucleus_boundaries",
        table_name="table_nuclei",
        how="left",
    )
    assert shapes["nucleus_boundaries"].index.tolist() == table.obs["nucleus_id"].tolist()
    shapes, table = spatialdata.join_spatialelement_table(
        sdata=sdata,
        spatial_element_names="cell_boundaries",
        table_name="table_combined",
        how="left",
    )
    assert shapes["cell_boundaries"].index.tolist() == table.obs["cell_id"].tolist()


def test_colours_stand_in_the_order_of_the_classes(sdata):
    table = sdata["table_cells"]
    assert table.obs["final_label"].cat.categories.tolist() == ["T_NK", "Epithelial", "Other"]
    assert list(table.uns["final_label_colors"]) == ["#ff0f0f", "#39d085", "#8f8f8f"]


def test_plain_anndata_reads_a_table(slide):
    table = anndata.read_zarr(slide / "tables" / "table_cells")
    assert table.obs["cell_id"].tolist() == list(three_cells.CELLS)


def test_the_store_says_where_it_comes_from(sdata):
    about = sdata.attrs["sthelar"]
    assert about["slide"] == three_cells.SLIDE
    assert about["provenance"]["stage"] == "assemble"
    assert set(about["provenance"]["inputs"]) >= {"he", "transform", "metrics_20x"}
    assert about["registration"]["verdict"] == "warn"
    assert about["label_schema"]["classes"][0]["name"] == "T_NK"


def test_the_zip_holds_the_same_files_with_the_metadata_at_its_root(slide):
    with zipfile.ZipFile(slide.with_name(f"{slide.name}.zip")) as archive:
        names = set(archive.namelist())
        assert json.loads(archive.read("zarr.json"))["node_type"] == "group"
    assert names == {p.relative_to(slide).as_posix() for p in slide.rglob("*") if p.is_file()}


def test_channels_that_do_not_match_the_bundle_are_refused_and_nothing_is_left(tmp_path):
    files = three_cells.build(tmp_path)
    (tmp_path / "xenium/morphology_focus/morphology_focus_0001.ome.tif").unlink()
    with pytest.raises(InputError, match="found 1 channels"):
        _run(files, tmp_path / "sdata.zarr")
    assert not (tmp_path / "sdata.zarr").exists()


def test_cells_without_a_label_are_refused(tmp_path):
    files = three_cells.build(tmp_path)
    table = pq.read_table(files["labels"])
    pq.write_table(table.slice(0, 2), files["labels"])
    with pytest.raises(InputError, match="expected a row for every cell"):
        _run(files, tmp_path / "sdata.zarr")


def test_a_bundle_without_cell_outlines_has_tables_all_the_same(tmp_path):
    files = three_cells.build(tmp_path)
    table = pq.read_table(files["cells"])
    nulls = pa.nulls(len(table), pa.binary())
    outline = table.schema.get_field_index("geometry")
    pq.write_table(table.set_column(outline, "geometry", nulls), files["cells"])
    found = spatialdata.read_zarr(_run(files, tmp_path / "sdata.zarr"))
    assert "cell_boundaries" not in found.shapes
    assert found["table_cells"].obs["cell_id"].tolist() == list(three_cells.CELLS)


def test_scales_patches_and_metrics_must_go_together(tmp_path):
    files = three_cells.build(tmp_path)
    with pytest.raises(InputError, match="for each of the 1 --scale"):
        _run(files, tmp_path / "sdata.zarr", scale=["40x"])


def test_patch_elements_beyond_the_first_are_named_after_their_scale(sdata):
    assert elements.PATCH_SHAPES in sdata.shapes
    assert isinstance(sdata["he_patches_20x"], pd.DataFrame)


def test_a_reader_of_the_store_can_place_points_through_the_correction(tmp_path):
    files = three_cells.build(tmp_path)
    rng = np.random.default_rng(0)
    correction = Correction(-10, 5, 12, rng.normal(0, 4, (6, 8, 2)))
    registered = replace(read_transform(files["transform"]), correction=correction)
    write_transform(files["transform"], registered, provenance("test"))
    found = spatialdata.read_zarr(_run(files, tmp_path / "sdata.zarr"))
    assert found.attrs["sthelar"]["he_correction"]["element"] in found.images
    points_um = rng.uniform(-40, 120, (200, 2))
    field = found["registration_correction"].values
    to_um = get_transformation(found["registration_correction"], "um")
    from_um = np.linalg.inv(to_um.to_affine_matrix(("x", "y"), ("x", "y")))
    pixel = points_um @ from_um[:2, :2].T + from_um[:2, 2] - 0.5
    pixel = np.clip(pixel, 0, [field.shape[2] - 1, field.shape[1] - 1])
    shift_um = [map_coordinates(part, pixel.T[::-1], order=3, mode="mirror") for part in field]
    moved_um = points_um + np.stack(shift_um, axis=1)
    on_he = [_mapped(found, "nucleus_boundaries", "he", point) for point in moved_um]
    np.testing.assert_allclose(on_he, registered.um_to_he.apply(points_um), atol=0.01)


def test_without_a_correction_the_store_has_none(sdata):
    assert "registration_correction" not in sdata.images
    assert sdata.attrs["sthelar"]["he_correction"] is None
