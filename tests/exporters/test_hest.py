"""HEST's folders, read by the rules of its reader: what it opens, looks up and asserts."""

import json

import anndata
import geopandas
import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image

from slides import three_cells, whole_slides
from sthelar_build.core.hest_samples import FIELDS
from sthelar_build.errors import InputError
from sthelar_build.exporters import hest
from sthelar_build.io.spots import read_spots
from sthelar_build.settings.export_slides import ExportSlidesSettings

HE_UM_PER_PX = 1.2 * three_cells.PIXEL_SIZE_UM
SETTINGS = ExportSlidesSettings(spot_um=30, spot_spacing_um=30, hest_min_tissue=0)
ID = "tiny_s0"


@pytest.fixture(scope="module")
def slides(tmp_path_factory):
    return whole_slides.whole_slides(tmp_path_factory.mktemp("hest") / "slides")


@pytest.fixture
def out(slides, tmp_path):
    hest.write(slides, tmp_path / "out", SETTINGS, 2)
    return tmp_path / "out"


def read_hest(folder, sample):
    """Open a sample as the library does: files by the end of their names, fields that it needs."""
    assert (folder / "tissue_seg").is_dir()
    assert "." not in sample

    def only(kind, suffix):
        (path,) = [p for p in (folder / kind).iterdir() if p.name.endswith(f"{sample}{suffix}")]
        return path

    metadata = json.loads(only("metadata", ".json").read_text())
    table = anndata.read_h5ad(only("st", ".h5ad"))
    assert "downscaled_fullres" in table.uns["spatial"]["ST"]["images"]
    assert "spatial" in table.obsm
    shapes = {
        kind: geopandas.read_parquet(only("xenium_seg", f"_xenium_{kind}_seg.parquet"))
        for kind in ("cell", "nucleus")
    }
    return metadata, table, only("wsis", ".tif"), only("patches", ".h5"), shapes


def test_spots_hold_the_counts_at_their_centres_on_the_he(slides, out):
    _, table, *_ = read_hest(out, ID)
    spots = read_spots(next(one for one in slides if one.name == ID), SETTINGS)
    assert table.obs_names.tolist() == ["000x000", "000x001", "000x002", "001x001"]
    assert table.var_names.tolist() == list(three_cells.GENES)
    np.testing.assert_array_equal(table.X.toarray(), spots.counts.toarray())
    assert table.X.dtype.kind == "i"
    np.testing.assert_array_equal(table.obsm["spatial"], spots.table[["x_he_px", "y_he_px"]])
    assert table.obs["pxl_col_in_fullres"].tolist() == table.obsm["spatial"][:, 0].tolist()
    assert table.obs["total_counts"].tolist() == [1, 1, 1, 1]


def test_the_size_of_a_spot_is_the_true_one_everywhere(out):
    metadata, table, *_ = read_hest(out, ID)
    factors = table.uns["spatial"]["ST"]["scalefactors"]
    assert (metadata["spot_diameter"], metadata["inter_spot_dist"]) == (30, 30)
    assert factors["spot_diameter_fullres"] == pytest.approx(30 / HE_UM_PER_PX)
    assert factors["tissue_downscaled_fullres_scalef"] == 1
    assert metadata["sthelar"]["origin_um"] == [0, 0]


def test_metadata_has_the_fields_of_hest_in_their_order_then_ours(out):
    metadata, *_ = read_hest(out, ID)
    assert list(metadata) == [*FIELDS, "sthelar"]
    assert len(FIELDS) == 27
    assert metadata["pixel_size_um_estimated"] == pytest.approx(HE_UM_PER_PX)
    assert (metadata["fullres_px_width"], metadata["fullres_px_height"]) == (230, 300)
    assert (metadata["st_technology"], metadata["magnification"]) == ("Xenium", "40x")
    assert (metadata["disease_state"], metadata["license"]) == ("Cancer", None)


def test_the_slide_is_the_he_at_level_0(out):
    *_, wsi, _, _ = read_hest(out, ID)
    with tifffile.TiffFile(wsi) as tiff:
        np.testing.assert_array_equal(tiff.pages[0].asarray(), three_cells.he_pixels())
        assert len(tiff.pages) == 2
    with Image.open(out / "thumbnails" / f"{ID}_downscaled_fullres.jpeg") as image:
        assert image.size == (230, 300)


def test_patches_are_around_their_spots_and_named_by_them(out):
    _, table, _, patches, _ = read_hest(out, ID)
    with h5py.File(patches) as file:
        barcodes = file["barcode"].asstr()[:, 0].tolist()
        assert barcodes == table.obs_names.tolist()
        side = file["img"].attrs["patch_size_src"]
        assert side == round(112 / HE_UM_PER_PX)
        centres = table.obsm["spatial"]
        np.testing.assert_array_equal(file["coords"][:], np.floor(centres - side // 2))
        assert file["img"].shape == (4, 224, 224, 3)


def test_patches_with_too_little_tissue_are_left_out(slides, tmp_path):
    hest.write(slides, tmp_path / "out", SETTINGS.model_copy(update={"hest_min_tissue": 1.0}), 1)
    _, table, _, patches, _ = read_hest(tmp_path / "out", ID)
    with h5py.File(patches) as file:
        assert len(file["img"]) < len(table)
    hest.validate(tmp_path / "out")


def test_outlines_are_by_cell_on_the_he(slides, out):
    *_, shapes = read_hest(out, ID)
    (nuclei,) = next(one for one in slides if one.name == ID).nuclei_on_he()
    assert shapes["nucleus"].index.tolist() == list(three_cells.OWNERS)
    assert shapes["nucleus"]["class"].tolist() == ["T_NK", "T_NK", "Epithelial"]
    for found, expected in zip(shapes["nucleus"].geometry, nuclei["geometry"], strict=True):
        assert found.equals(expected)
    assert shapes["cell"].index.tolist() == list(three_cells.CELLS[:2])


def test_the_table_of_samples_has_a_row_for_each(out):
    lines = (out / "HEST_v1_x_0.csv").read_text().splitlines()
    assert lines[0].split(",") == list(FIELDS)
    assert len(lines) == 3


def test_two_runs_are_equal_byte_for_byte_whatever_the_threads(slides, out, tmp_path):
    hest.write(slides, tmp_path / "again", SETTINGS, 1)
    files = [path.relative_to(out) for path in out.rglob("*") if path.is_file()]
    assert len(files) == 2 * 7 + 1
    for file in files:
        assert (out / file).read_bytes() == (tmp_path / "again" / file).read_bytes(), file


def test_a_name_that_ends_another_is_refused(slides, tmp_path):
    other = whole_slides.whole_slide(tmp_path / "slide", "s0")
    with pytest.raises(InputError, match="slides s0 and tiny_s0"):
        hest.write([*slides, other], tmp_path / "out", SETTINGS, 1)


def test_the_validator_takes_the_export_and_refuses_others(out):
    hest.validate(out)
    path = out / "metadata" / f"{ID}.json"
    text = path.read_text()
    path.write_text(text.replace('"organ"', '"organs"'))
    with pytest.raises(InputError, match="other fields"):
        hest.validate(out)
    path.write_text(text.replace('"fullres_px_width": 230', '"fullres_px_width": 231'))
    with pytest.raises(InputError, match="an image of"):
        hest.validate(out)
    path.write_text(text)
    with h5py.File(out / "patches" / f"{ID}.h5", "r+") as file:
        file["coords"][0] += 5
    with pytest.raises(InputError, match="not around their spots"):
        hest.validate(out)
    (out / "tissue_seg").rmdir()
    path.unlink()
    with pytest.raises(InputError, match="tissue_seg"):
        hest.validate(out)
