"""Placing the H&E, and saying how well it lies."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import rasterio.features
import shapely
import tifffile
from PIL import Image
from skimage.filters import gaussian, threshold_otsu
from skimage.measure import label

from slides.turned_slide import (
    HE_UM_PER_PX,
    PIXEL_SIZE_UM,
    SIDE_UM,
    TurnedSlide,
    he_side_px,
    make_turned_slide,
    nuclei_frame,
    turned_matrix,
    write_nuclei,
)
from sthelar_build.core.stain import haematoxylin, tissue_mask
from sthelar_build.errors import InputError
from sthelar_build.io.tables import read_provenance, read_table
from sthelar_build.io.transform import read_transform
from sthelar_build.schema.frames import Affine, Frame
from sthelar_build.schema.tables import REGISTRATION
from sthelar_build.settings.register import RegisterSettings
from sthelar_build.stages.register import run

PICTURES = [
    "checkerboard_1.png",
    "checkerboard_2.png",
    "checkerboard_3.png",
    "checkerboard_4.png",
    "checkerboard_5.png",
    "drift.png",
    "overlay.png",
]


@pytest.fixture(scope="module")
def slide(tmp_path_factory) -> TurnedSlide:
    return make_turned_slide(
        tmp_path_factory.mktemp("register") / "slide", turned_matrix(mirrored=True)
    )


@pytest.fixture
def _no_pictures(monkeypatch):
    """Pictures take most of the time, and most tests do not look at them."""
    monkeypatch.setattr("sthelar_build.stages.register.write_pictures", lambda *_: None)


def register(slide, folder, alignment, **settings):
    run(
        he=slide.he,
        xenium=slide.xenium,
        bundle=slide.bundle,
        nuclei=slide.nuclei_table,
        alignment=str(alignment),
        transform=folder / "transform.json",
        registration=folder / "registration.parquet",
        pictures=folder / "registration",
        settings=RegisterSettings(**settings),
    )
    return read_transform(folder / "transform.json")


def keypoints(slide, he_xy):
    fixed = slide.he_to_morphology.apply(he_xy)
    table = np.column_stack([fixed, he_xy])
    return pd.DataFrame(table, columns=["fixedX", "fixedY", "alignmentX", "alignmentY"])


HE_XY = np.array([[100, 90], [900, 120], [110, 880], [870, 900], [500, 480], [300, 700.0]])


def test_the_true_matrix_passes_and_is_shown(slide, tmp_path):
    found = register(slide, tmp_path, slide.matrix_csv())
    assert (found.verdict, found.method, found.reasons) == ("pass", "matrix", ())
    assert found.median_um < 0.1
    assert found.p95_um < 0.2
    assert found.he_um_per_px == pytest.approx(HE_UM_PER_PX)
    tiles = read_table(tmp_path / "registration.parquet", REGISTRATION)
    assert len(tiles) == 9
    assert tiles.n_nuclei.sum() == len(slide.nuclei)
    assert (tiles.correlation > 0.9).all()
    assert tiles.reason.isna().all()
    pictures = sorted((tmp_path / "registration").iterdir())
    assert [path.name for path in pictures] == PICTURES
    for path in pictures:
        with Image.open(path) as picture:
            assert min(picture.size) > 300
            assert len(picture.convert("RGB").getcolors(2**24)) > 50


AS_GIVEN = {"refine": False, "on_fail": "keep"}


def error_um(slide, found):
    """Distance of every nucleus on the H&E from where it belongs."""
    points = slide.nuclei[["x_um", "y_um"]]
    return np.hypot(*(found.um_to_he.apply(points) - slide.um_to_he.apply(points)).T) * HE_UM_PER_PX


@pytest.mark.usefixtures("_no_pictures")
@pytest.mark.parametrize(("shift_um", "verdict"), [((3.0, -1.5), "warn"), ((-4.5, 6.0), "fail")])
def test_a_planted_shift_is_measured_and_judged(slide, tmp_path, shift_um, verdict):
    found = register(slide, tmp_path, slide.matrix_csv("shifted.csv", shift_um), **AS_GIVEN)
    assert (found.verdict, found.kept) == (verdict, "given")
    assert found.median_um == pytest.approx(np.hypot(*shift_um), abs=0.1)
    tiles = read_table(tmp_path / "registration.parquet", REGISTRATION)
    assert tiles.dx_um.median() == pytest.approx(shift_um[0], abs=0.1)
    assert tiles.dy_um.median() == pytest.approx(shift_um[1], abs=0.1)


@pytest.mark.usefixtures("_no_pictures")
def test_a_matrix_that_is_nearly_right_is_refined_and_both_are_reported(slide, tmp_path):
    found = register(slide, tmp_path, slide.matrix_csv("shifted.csv", (3.0, -1.5)))
    assert (found.verdict, found.kept, found.method) == ("pass", "refined", "matrix")
    assert error_um(slide, found).max() < 0.1
    assert found.alternatives["given"]["median_um"] == pytest.approx(3.35, abs=0.1)
    assert found.alternatives["refined"]["median_um"] < 0.1


@pytest.mark.usefixtures("_no_pictures")
def test_a_matrix_that_cannot_be_bettered_is_kept_to_the_last_digit(slide, tmp_path):
    found = register(slide, tmp_path, slide.matrix_csv())
    assert found.kept == "given"
    assert set(found.alternatives) == {"given", "refined"}
    np.testing.assert_array_equal(found.he_to_morphology.matrix, slide.he_to_morphology.matrix)


@pytest.mark.usefixtures("_no_pictures")
def test_a_matrix_that_is_far_off_but_can_be_mended_is_doubtful(slide, tmp_path):
    found = register(slide, tmp_path, slide.matrix_csv("shifted.csv", (12.0, -16.0)))
    assert (found.verdict, found.kept) == ("warn", "refined")
    assert found.reasons == ("the alignment given was off by up to 20 um, and was refined",)
    assert error_um(slide, found).max() < 0.1


@pytest.mark.usefixtures("_no_pictures")
def test_keypoints_place_the_slide_though_one_is_wrong(slide, tmp_path):
    table = keypoints(slide, HE_XY)
    table.loc[2, "fixedX"] += 400
    table.to_csv(tmp_path / "keypoints.csv", index=False)
    found = register(slide, tmp_path, tmp_path / "keypoints.csv")
    assert (found.method, found.verdict) == ("keypoints", "warn")
    assert "1 keypoints disagree" in found.reasons[0]
    assert found.keypoints["used"] == [True, True, False, True, True, True]
    assert found.median_um < 0.1


@pytest.mark.usefixtures("_no_pictures")
def test_an_explorer_zip_places_the_slide_by_its_matrix(slide, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(slide.matrix_csv(), "he_matrix.csv")
        archive.writestr("keypoints.csv", keypoints(slide, HE_XY).to_csv(index=False))
    found = register(slide, tmp_path, tmp_path / "a.zip")
    assert (found.method, found.verdict) == ("explorer_zip", "pass")
    assert max(found.keypoints["residuals_um"]) < 1e-3


def mistakes(slide):
    """What people give instead of the right matrix, and what they are told."""
    right, width = slide.he_to_morphology.matrix, he_side_px()
    swap = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    return {
        "the inverse of the one needed": np.linalg.inv(right),
        "as if it led to um": np.diag([PIXEL_SIZE_UM, PIXEL_SIZE_UM, 1]) @ right,
        "another pyramid level": right @ np.diag([4, 4, 1]),
        "mirrored image": right @ np.array([[-1, 0, width], [0, 1, 0], [0, 0, 1]]),
        "exchanged": right @ swap,
    }


@pytest.mark.usefixtures("_no_pictures")
@pytest.mark.parametrize("number", range(5))
def test_a_mistaken_matrix_stops_the_slide_and_is_told_by_its_name(slide, tmp_path, number):
    words, matrix = list(mistakes(slide).items())[number]
    np.savetxt(tmp_path / "mistake.csv", matrix, delimiter=",")
    with pytest.raises(InputError, match=words) as stopped:
        register(slide, tmp_path, tmp_path / "mistake.csv")
    assert "automatic registration finds the matrix" in str(stopped.value)
    assert "\n" not in str(stopped.value)
    assert [path.name for path in tmp_path.iterdir()] == ["mistake.csv"]


def test_a_slide_that_is_stopped_leaves_the_pictures_to_look_at(slide, tmp_path):
    with pytest.raises(
        InputError, match=r"registration_failed/overlay.png.*set the alignment to auto"
    ):
        register(slide, tmp_path, "identity")
    assert [path.name for path in tmp_path.iterdir()] == ["registration_failed"]
    assert sorted(p.name for p in (tmp_path / "registration_failed").iterdir()) == PICTURES
    register(slide, tmp_path, slide.matrix_csv())
    assert "registration_failed" not in [path.name for path in tmp_path.iterdir()]


@pytest.mark.usefixtures("_no_pictures")
def test_on_request_the_automatic_registration_takes_the_place_of_a_wrong_one(slide, tmp_path):
    found = register(slide, tmp_path, "identity", on_fail="use_auto")
    assert (found.verdict, found.kept, found.method) == ("warn", "automatic", "automatic")
    assert found.reasons[0] == "the alignment given is wrong, and the automatic one is used"
    assert error_um(slide, found).max() < 0.2


def test_on_request_a_slide_far_from_the_h_and_e_goes_on_without_measurement(slide, tmp_path):
    matrix = slide.matrix_csv("far.csv", (5 * SIDE_UM, 0))
    found = register(slide, tmp_path, matrix, on_fail="keep")
    assert (found.verdict, found.median_um, found.p95_um) == ("fail", None, None)
    assert "only 0% of the nuclei fall on the H&E" in found.reasons[0]
    assert set(read_table(tmp_path / "registration.parquet", REGISTRATION).reason) == {"outside"}


@pytest.mark.usefixtures("_no_pictures")
def test_auto_finds_a_turned_and_mirrored_slide(slide, tmp_path):
    found = register(slide, tmp_path, "auto")
    assert (found.verdict, found.kept, found.method) == ("pass", "automatic", "automatic")
    assert error_um(slide, found).max() < 0.2
    assert found.quality["matrix"]["mirrored"]


@pytest.mark.slow
@pytest.mark.usefixtures("_no_pictures")
def test_auto_stops_a_slide_whose_nuclei_are_not_on_the_h_and_e(slide, tmp_path, monkeypatch):
    # Every pixel size would be tried: some would do to see that none fits.
    monkeypatch.setattr("sthelar_build.io.images.course._ANY_UM_PER_PX", (0.32, 0.45))
    other = replace(slide, folder=tmp_path / "other", he_file=slide.he)
    spots = np.random.default_rng(5).uniform(0, SIDE_UM, (420, 2))
    write_nuclei(other, nuclei_frame(shapely.buffer(shapely.points(spots), 4.5)))
    with pytest.raises(InputError, match="expected an H&E that"):
        register(other, tmp_path, "auto")
    assert not (tmp_path / "transform.json").exists()


def test_a_broken_alignment_leaves_nothing_behind(slide, tmp_path):
    (tmp_path / "bad.csv").write_text("1,2\n3,4\n")
    with pytest.raises(InputError, match="3x3"):
        register(slide, tmp_path, tmp_path / "bad.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.csv"]


@pytest.mark.usefixtures("_no_pictures")
def test_the_artefacts_carry_their_provenance(slide, tmp_path):
    register(slide, tmp_path, slide.matrix_csv(), warn_um=1.5)
    source = json.loads((tmp_path / "transform.json").read_text())["provenance"]
    assert source["stage"] == "register"
    assert source["settings"]["warn_um"] == 1.5
    assert set(source["inputs"]) == {"he", "bundle", "nuclei", "alignment"}
    assert read_provenance(tmp_path / "registration.parquet") == source


def scanned_slide(scan, folder) -> TurnedSlide:
    """Nuclei found in a real scan by a threshold, as if they lay turned and mirrored in a bundle."""
    image = tifffile.imread(scan, series=0)
    stain = gaussian(haematoxylin(image), 1.5)
    dark = label(stain > threshold_otsu(stain[tissue_mask(image, 0.05)]))
    areas_px = np.bincount(dark.ravel())
    areas_px[0] = 0
    kept = np.where((areas_px > 60) & (areas_px < 900))[0]
    shapes = rasterio.features.shapes(dark.astype(np.int32), mask=np.isin(dark, kept))
    found = [shapely.geometry.shape(shape) for shape, _ in shapes]
    outlines = shapely.simplify(shapely.buffer(found, 0.5), 1.0)
    matrix = np.array([[1.969, 1.279, 3000], [1.279, -1.969, 6500], [0, 0, 1]])
    slide = TurnedSlide(folder, Affine(matrix, Frame.HE, Frame.MORPHOLOGY), pd.DataFrame())
    geometry = slide.um_to_he.inverse().apply_to_geometries(outlines)
    write_nuclei(slide, nuclei_frame(geometry))
    return slide


@pytest.mark.slow
@pytest.mark.usefixtures("_no_pictures")
@pytest.mark.parametrize("shift_um", [(0, 0), (-2.5, 4.0), (30.0, 10.0)])
def test_on_the_texture_of_a_real_scan_a_shift_is_measured(shared_data, tmp_path, shift_um):
    scan = shared_data / "he" / "CMU-1-Small-Region.svs"
    slide = scanned_slide(scan, tmp_path / "slide")
    matrix = slide.matrix_csv("shifted.csv", shift_um)
    found = register(replace(slide, he_file=scan), tmp_path, matrix, **AS_GIVEN)
    if max(shift_um) > 10:
        assert found.verdict == "fail"
        return
    assert found.median_um == pytest.approx(np.hypot(*shift_um), abs=0.2)
    assert found.verdict == ("pass" if shift_um == (0, 0) else "warn")
