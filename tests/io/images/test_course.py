"""Registrations tried on a real file: scored, polished, and found from nothing."""

from dataclasses import replace

import numpy as np
import pytest

from slides.turned_slide import HE_UM_PER_PX, make_turned_slide, turned_matrix
from sthelar_build.core.drift import DriftRule
from sthelar_build.core.nucleus_map import NucleusMap
from sthelar_build.core.nucleus_tiles import tiles_with_nuclei
from sthelar_build.core.outlines import Outlines
from sthelar_build.core.straightening import StraighteningRule
from sthelar_build.core.verdict import Limits
from sthelar_build.io.images.course import SlideCourse
from sthelar_build.io.images.he import open_he
from sthelar_build.io.images.placed_he import tissue_of
from sthelar_build.schema.frames import Affine, Frame
from sthelar_build.settings.register import RegisterSettings


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    return make_turned_slide(
        tmp_path_factory.mktemp("course") / "slide", turned_matrix(-88.0, mirrored=True)
    )


@pytest.fixture(scope="module")
def course(slide):
    settings = RegisterSettings()
    points_um = slide.nuclei[["x_um", "y_um"]].to_numpy()
    areas_um2 = slide.nuclei.area_um2.to_numpy()
    with open_he(slide.he) as image:
        yield SlideCourse(
            image=image,
            nuclei=NucleusMap(Outlines.of(slide.nuclei.geometry), points_um, areas_um2),
            tiles=tiles_with_nuclei(points_um, settings.tile_um),
            tissue=tissue_of(image, 0.5),
            rule=settings.part(DriftRule),
            limits=settings.part(Limits),
            straightening=settings.part(StraighteningRule),
            smoothing_um=settings.smoothing_um,
            sampled_tiles=settings.sampled_tiles,
            is_thorough=True,
            threads=2,
        )


def moved(um_to_he, dx_um, dy_um):
    shift = np.array([[1, 0, dx_um], [0, 1, dy_um], [0, 0, 1.0]])
    return Affine(um_to_he.matrix @ shift, Frame.UM, Frame.HE)


def error_um(slide, found):
    points = slide.nuclei[["x_um", "y_um"]]
    return np.hypot(*(found.apply(points) - slide.um_to_he.apply(points)).T).max() * HE_UM_PER_PX


def test_tiles_agree_with_the_true_map_and_not_with_another(slide, course):
    right = course.score(slide.um_to_he, is_fitted=False)
    assert (right.n_measured, right.n_agreeing) == (9, 9)
    assert course.is_right(right)
    wrong = course.score(moved(slide.um_to_he, 60, 0), is_fitted=False)
    assert not course.is_right(wrong)


def test_a_map_that_is_a_little_off_is_polished(slide, course):
    polished = course.polish(moved(slide.um_to_he, 5, -4))
    assert error_um(slide, polished) < 0.2


def test_the_place_is_found_from_nothing(slide, course):
    assert error_um(slide, course.find()) < 0.2


@pytest.mark.parametrize(("is_thorough", "searches"), [(False, 1), (True, 2)])
def test_a_search_for_advice_trusts_the_pixel_size_that_the_file_states(
    course, monkeypatch, is_thorough, searches
):
    ranges = []

    def find_nothing(nuclei, view, sizes_um_per_px, mapper):
        ranges.append(sizes_um_per_px)

    monkeypatch.setattr("sthelar_build.io.images.course.find_place", find_nothing)
    assert replace(course, is_thorough=is_thorough).find() is None
    assert len(ranges) == searches
    assert ranges[0] == pytest.approx((0.9 * HE_UM_PER_PX, 1.1 * HE_UM_PER_PX))


def test_the_number_of_threads_changes_nothing(slide, course):
    alone = replace(course, threads=1)
    start = moved(slide.um_to_he, 5, -4)
    np.testing.assert_array_equal(alone.polish(start).matrix, course.polish(start).matrix)
    np.testing.assert_array_equal(alone.find().matrix, course.find().matrix)


def test_shifts_beyond_the_usual_are_measured_on_request(slide, course):
    tiles = course.sample(moved(slide.um_to_he, -14, 0), search_um=25)
    assert tiles.dx_um.median() == pytest.approx(14, abs=0.3)
