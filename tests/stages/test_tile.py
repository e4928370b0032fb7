"""The grid of patches of a slide."""

import numpy as np
import pyarrow.parquet as pq
import pytest
import tifffile
from scipy.ndimage import gaussian_filter

from slides.molecules import write_molecules
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.provenance import provenance
from sthelar_build.io.tables import read_attributes, read_table
from sthelar_build.io.transform import Transform, write_transform
from sthelar_build.schema.frames import Affine, Frame
from sthelar_build.schema.tables import PATCHES
from sthelar_build.settings.tile import TileSettings
from sthelar_build.stages.tile import run

WIDTH, HEIGHT, UM_PER_PX = 700, 500, 0.3


@pytest.fixture
def he(tmp_path):
    image = np.full((HEIGHT, WIDTH, 3), (241, 239, 242), np.uint8)
    image[:, :448] = (200, 120, 180)
    tifffile.imwrite(tmp_path / "he.tif", image, photometric="rgb", tile=(128, 128))
    return tmp_path / "he.tif"


@pytest.fixture
def transform(tmp_path):
    matrix = Affine.scaling(UM_PER_PX / 0.2125, Frame.HE, Frame.MORPHOLOGY)
    placed = Transform(matrix, "matrix", WIDTH, HEIGHT, 0.2125)
    write_transform(tmp_path / "transform.json", placed, provenance("test"))
    return tmp_path / "transform.json"


@pytest.fixture
def transcripts(tmp_path):
    """One molecule in every 2 um, as far as x = 90 um (300 px)."""
    places_um = np.stack(np.meshgrid(np.arange(1, 90, 2), np.arange(1, 150, 2)), axis=-1)
    return write_molecules(tmp_path / "transcripts.parquet", places_um)


def tile(he, transform, scale, **settings):
    folder = he.parent
    if not (folder / "transcripts.parquet").exists():
        write_molecules(folder / "transcripts.parquet")
    patches = folder / "patches.parquet"
    run(
        he=he,
        transform=transform,
        transcripts=folder / "transcripts.parquet",
        scale=scale,
        patches=patches,
        settings=TileSettings(**settings),
    )
    return read_table(patches, PATCHES), read_attributes(patches)


def test_the_native_grid_is_that_of_level_0(he, transform):
    table, facts = tile(he, transform, "native")
    assert facts == {
        "columns": 4,
        "rows": 3,
        "side_px": 256,
        "overlap_px": 64,
        "width_px": 700,
        "height_px": 500,
        "downsample": 1.0,
        "um_per_px": pytest.approx(0.3),
        "scale": "native",
    }
    assert table.x_he_px.tolist() == [0, 192, 384, 576] * 3
    assert table.complete.tolist() == [True, True, True, False] * 2 + [False] * 4


def test_half_of_native_has_patches_of_twice_the_side(he, transform):
    table, facts = tile(he, transform, "native/2")
    assert (facts["downsample"], facts["um_per_px"]) == (2, pytest.approx(0.6))
    assert (facts["width_px"], facts["height_px"]) == (350, 250)
    assert set(table.side_he_px) == {512}


def test_a_number_is_a_size_in_um(he, transform):
    table, facts = tile(he, transform, "0.45", side_px=64, overlap_px=0)
    assert facts["downsample"] == pytest.approx(1.5)
    assert facts["um_per_px"] == pytest.approx(0.45)
    assert table.side_he_px[0] == pytest.approx(96)


def test_the_tissue_fraction_is_the_share_of_stained_area(he, transform):
    table, _ = tile(he, transform, "native", tissue_um_per_px=1.2)
    assert table.tissue_fraction[:3].tolist() == pytest.approx([1, 1, 0.25], abs=0.02)
    assert table.tissue_fraction[3] == 0


@pytest.mark.usefixtures("transcripts")
def test_the_covered_fraction_is_the_share_of_tissue_where_transcripts_lie(he, transform):
    table, _ = tile(he, transform, "native", side_px=128, overlap_px=0, tissue_um_per_px=1.2)
    # 0 to 128, 128 to 256, 256 to 384, and 384 to 512 px: tissue ends at 448, transcripts at 300.
    expected = [1, 1, (300 - 256) / 128, 0]
    assert table.covered_fraction[:4].tolist() == pytest.approx(expected, abs=0.1)
    assert table.covered_fraction[4:6].isna().all()


@pytest.mark.usefixtures("transcripts")
def test_gaps_as_wide_as_the_setting_are_not_covered(he, transform):
    table, _ = tile(he, transform, "native", tissue_um_per_px=1.2, covered_gap_um=1)
    assert 0.2 < table.covered_fraction[0] < 0.6


def test_a_patch_without_transcripts_is_not_covered(he, transform):
    table, _ = tile(he, transform, "native")
    assert table.covered_fraction[:3].tolist() == [0, 0, 0]


def test_an_image_that_was_not_registered_is_refused(he, transform):
    tifffile.imwrite(he, np.zeros((50, 60, 3), np.uint8), photometric="rgb")
    with pytest.raises(InputError, match=r"700 x 500 px.*found 60 x 50"):
        tile(he, transform, "native")


def test_an_unknown_scale_is_refused(he, transform):
    with pytest.raises(ConfigError, match="found 'native/3'"):
        tile(he, transform, "native/3")
    assert not (he.parent / "patches.parquet").exists()


def test_an_overlap_as_large_as_the_side_is_no_setting():
    with pytest.raises(ValueError, match="overlap_px below side_px"):
        TileSettings(side_px=64, overlap_px=64)


def test_blur_is_measured_where_there_is_tissue_and_more_where_the_image_is_blurred(
    tmp_path, transform
):
    rng = np.random.default_rng(0)
    grain = gaussian_filter(rng.normal(size=(HEIGHT, WIDTH)), 2) * 100
    soft = gaussian_filter(grain, 6)
    image = np.full((HEIGHT, WIDTH, 3), (241, 239, 242), np.uint8)
    for columns, detail in ((slice(0, 224), grain), (slice(224, 448), soft)):
        image[:, columns] = np.clip([200, 130, 180] + detail[:, columns, None], 60, 235).astype(
            np.uint8
        )
    tifffile.imwrite(tmp_path / "he.tif", image, photometric="rgb", tile=(128, 128))
    table, _ = tile(tmp_path / "he.tif", transform, "native", side_px=128, overlap_px=0)
    sharp, _, blurred, _, glass, _ = table.blur_um[:6]
    assert sharp < 1 < blurred
    assert np.isnan(glass)
    assert (
        pq.read_table(tmp_path / "patches.parquet")["blur_um"].null_count
        == table.blur_um.isna().sum()
        > 0
    )
