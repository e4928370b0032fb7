"""H&E and DAPI on one grid of micrometres."""

import numpy as np
import pytest

from slides.turned_slide import GLASS, HE_UM_PER_PX, PIXEL_SIZE_UM, make_turned_slide, turned_matrix
from sthelar_build.core.correction import CorrectedMap, Correction
from sthelar_build.core.drift import drawn_nuclei
from sthelar_build.core.outlines import Outlines
from sthelar_build.core.registration import Window
from sthelar_build.io.images.he import open_he
from sthelar_build.io.images.morphology import open_morphology
from sthelar_build.io.images.um_windows import dapi_window, haematoxylin_window, he_window, is_on_he
from sthelar_build.io.transform import Transform
from sthelar_build.schema.frames import Affine, Frame


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    return make_turned_slide(
        tmp_path_factory.mktemp("windows") / "slide", turned_matrix(200, mirrored=True)
    )


@pytest.fixture(scope="module")
def placed(slide):
    with open_he(slide.he) as image:
        return Transform(
            slide.he_to_morphology, "matrix", image.width_px, image.height_px, PIXEL_SIZE_UM
        )


WINDOW = Window(left_um=100, top_um=60, um_per_px=0.5, shape=(160, 120))


def correlation(one, other):
    return np.corrcoef(one.ravel(), other.ravel())[0, 1]


def test_all_three_show_the_nuclei_in_the_same_place(slide, placed):
    nuclei = drawn_nuclei(Outlines.of(slide.nuclei.geometry), WINDOW)
    with (
        open_he(slide.he) as image,
        open_morphology(slide.xenium / "morphology_mip.ome.tif") as dapi,
    ):
        assert correlation(haematoxylin_window(image, placed.um_to_he, WINDOW, 0.5), nuclei) > 0.93
        assert correlation(he_window(image, placed.um_to_he, WINDOW)[..., 1], nuclei) < -0.93
        assert correlation(dapi_window(dapi, placed, WINDOW), nuclei) > 0.93


def test_beyond_the_tissue_lies_glass(slide, placed):
    with open_he(slide.he) as image:
        corner = he_window(image, placed.um_to_he, Window(-20, 150, 0.5, (20, 20)))
    assert corner.mean(axis=(0, 1)) == pytest.approx(GLASS, abs=3)


def test_a_window_is_on_the_h_and_e_when_all_its_corners_are(slide, placed):
    far = Window(1000 * HE_UM_PER_PX, 60, 0.5, (100, 100))
    with open_he(slide.he) as image:
        assert is_on_he(image, placed.um_to_he, WINDOW)
        assert not is_on_he(image, placed.um_to_he, far)


def test_a_corrected_map_shows_the_nuclei_where_the_bundle_has_them(slide, placed):
    """The map is wrong by a turn and a shift of up to 8 um, and the correction undoes it."""
    wrong = np.array([[1, -0.05, 9], [0.05, 1, -3], [0, 0, 1]])
    affine = Affine(placed.um_to_he.matrix @ np.linalg.inv(wrong), Frame.UM, Frame.HE)
    rows, columns = np.indices((30, 30))
    nodes_um = np.stack([columns, rows], axis=2) * 40.0 - 400
    moved_um = nodes_um @ wrong[:2, :2].T + wrong[:2, 2]
    corrected = CorrectedMap(Correction(-400, -400, 40, moved_um - nodes_um), affine)
    nuclei = drawn_nuclei(Outlines.of(slide.nuclei.geometry), WINDOW)
    with open_he(slide.he) as image:
        assert correlation(haematoxylin_window(image, affine, WINDOW, 0.5), nuclei) < 0.6
        assert correlation(haematoxylin_window(image, corrected, WINDOW, 0.5), nuclei) > 0.93
