"""STimage's folder, read as its description says: places in the order y, x, r on a PNG, counts by spot."""

import csv

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from slides import three_cells, whole_slides
from sthelar_build.errors import InputError
from sthelar_build.exporters import stimage
from sthelar_build.io.spots import read_spots
from sthelar_build.settings.export_slides import ExportSlidesSettings

HE_UM_PER_PX = 1.2 * three_cells.PIXEL_SIZE_UM
SETTINGS = ExportSlidesSettings(
    spot_um=30, spot_spacing_um=30, stimage_um_per_px=2 * HE_UM_PER_PX, species="Homo sapiens"
)


@pytest.fixture(scope="module")
def slides(tmp_path_factory):
    return whole_slides.whole_slides(tmp_path_factory.mktemp("stimage") / "slides")


@pytest.fixture
def out(slides, tmp_path):
    stimage.write(slides, tmp_path / "out", SETTINGS, 1)
    return tmp_path / "out"


def read(path):
    """Return the header and the rows of a csv, the spot first."""
    with path.open(newline="") as file:
        head, *rows = csv.reader(file)
    return head, {name: values for name, *values in rows}


def test_the_image_is_the_he_at_the_stated_pixel(out):
    with Image.open(out / "Xenium" / "image" / "tiny_s0.png") as image:
        pixels = np.asarray(image)
    # Made from the pyramid of the slide, which holds every second pixel.
    np.testing.assert_array_equal(pixels, three_cells.he_pixels()[::2, ::2])


def test_places_are_y_x_radius_on_that_image_under_the_names_of_the_counts(slides, out):
    slide = next(one for one in slides if one.name == "tiny_s0")
    spots = read_spots(slide, SETTINGS)
    head, places = read(out / "Xenium" / "coord" / "tiny_s0_coord.csv")
    assert head == ["", "yaxis", "xaxis", "r"]
    assert list(places) == [f"tiny_s0_{barcode}" for barcode in spots.table.index]
    y, x, r = map(float, places["tiny_s0_001x001"])
    row = spots.table.loc["001x001"]
    np.testing.assert_allclose([y, x], [row["y_he_px"] / 2, row["x_he_px"] / 2], atol=1e-3)
    assert r == pytest.approx(15 / (2 * HE_UM_PER_PX), abs=1e-3)


def test_counts_are_raw_by_spot_and_gene(out):
    head, counts = read(out / "Xenium" / "gene_exp" / "tiny_s0_count.csv")
    assert head == ["", *three_cells.GENES]
    assert counts["tiny_s0_000x000"] == ["1", "0", "0", "0"]
    assert counts["tiny_s0_001x001"] == ["0", "1", "0", "0"]


def test_meta_has_the_columns_of_the_collection_and_says_xenium(out):
    meta = pd.read_csv(out / "meta" / "meta_all_gene.csv")
    assert meta.columns.tolist() == [
        "slide", "species", "tissue", "pmid", "title", "abstract", "keywords", "involve_cancer",
        "tech", "spot_num", "gene_num",
    ]  # fmt: skip
    row = meta.set_index("slide").loc["tiny_s0"]
    assert (row["tech"], row["spot_num"], row["gene_num"]) == ("Xenium", 4, 4)
    assert bool(row["involve_cancer"])
    scale = pd.read_csv(out / "meta" / "scale.csv").set_index("slide").loc["tiny_s0"]
    assert scale["um_per_px"] == pytest.approx(2 * HE_UM_PER_PX)
    assert scale["spot_um"] == 30


def test_the_image_is_never_enlarged(slides, tmp_path):
    stimage.write(
        slides[:1], tmp_path / "out", SETTINGS.model_copy(update={"stimage_um_per_px": 0.01}), 1
    )
    with Image.open(tmp_path / "out" / "Xenium" / "image" / f"{slides[0].name}.png") as image:
        np.testing.assert_array_equal(np.asarray(image), three_cells.he_pixels())


def test_two_runs_are_equal_byte_for_byte(slides, out, tmp_path):
    stimage.write(slides, tmp_path / "again", SETTINGS, 2)
    files = [path.relative_to(out) for path in out.rglob("*.*")]
    assert len(files) == 8
    for file in files:
        assert (out / file).read_bytes() == (tmp_path / "again" / file).read_bytes()


def test_the_validator_takes_the_export_and_refuses_others(out):
    stimage.validate(out)
    coord = out / "Xenium" / "coord" / "tiny_s0_coord.csv"
    text = coord.read_text()
    coord.write_text(text.replace("yaxis,xaxis", "xaxis,yaxis"))
    with pytest.raises(InputError, match="coordinates xaxis, yaxis, r"):
        stimage.validate(out)
    coord.write_text(text.replace("000x000", "000x009"))
    with pytest.raises(InputError, match="other spots"):
        stimage.validate(out)
    coord.write_text(text.replace("_000x000,", "_000x000,9"))
    with pytest.raises(InputError, match="beside the image"):
        stimage.validate(out)
