"""Overviews and windows of an H&E, as the search asks for them."""

import numpy as np
import pytest

from slides.turned_slide import HE_UM_PER_PX, he_side_px, make_turned_slide, turned_matrix
from sthelar_build.core.overview import SPOTS_UM
from sthelar_build.core.registration import Window
from sthelar_build.io.images.he import open_he
from sthelar_build.io.images.search_view import SearchView
from sthelar_build.io.images.um_windows import haematoxylin_window


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    return make_turned_slide(tmp_path_factory.mktemp("view") / "slide", turned_matrix())


def test_the_overview_has_2_um_pixels_and_shows_the_nuclei(slide):
    with open_he(slide.he) as image:
        overview = SearchView(image, 0.5).overview(HE_UM_PER_PX, SPOTS_UM)
    assert overview.step_px[0] * HE_UM_PER_PX == pytest.approx(2, rel=0.02)
    assert overview.size_px == pytest.approx((he_side_px(), he_side_px()))
    centres = slide.um_to_he.apply(slide.nuclei[["x_um", "y_um"]]) / overview.step_px
    column, row = np.floor(centres).astype(int).T
    assert np.median(overview.spots[row, column]) > 2 * np.median(overview.spots) + 20


def test_an_image_that_is_coarser_than_the_overview_is_taken_as_it_is(slide):
    with open_he(slide.he) as image:
        overview = SearchView(image, 0.5).overview(3.0, SPOTS_UM)
    assert overview.step_px == (1, 1)


def test_an_overview_that_is_asked_for_again_is_not_made_again(slide):
    with open_he(slide.he) as image:
        view = SearchView(image, 0.5)
        assert view.overview(0.4, SPOTS_UM) is view.overview(0.4, SPOTS_UM)


def test_windows_are_those_of_the_tiles(slide):
    window = Window(100, 80, 0.5, (60, 80))
    with open_he(slide.he) as image:
        seen = SearchView(image, 0.5).haematoxylin(window, slide.um_to_he)
        np.testing.assert_array_equal(seen, haematoxylin_window(image, slide.um_to_he, window, 0.5))
