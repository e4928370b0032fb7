"""A registration, measured and judged, on a real file."""

from dataclasses import replace

import pytest

from slides.turned_slide import PIXEL_SIZE_UM, make_turned_slide, turned_matrix
from sthelar_build.core.drift import DriftRule
from sthelar_build.core.nucleus_tiles import tiles_with_nuclei
from sthelar_build.core.straightening import StraighteningRule
from sthelar_build.core.verdict import Limits
from sthelar_build.io.found_transforms import blank_transform
from sthelar_build.io.images.course import SlideCourse
from sthelar_build.io.images.he import open_he
from sthelar_build.io.images.judged import judged
from sthelar_build.io.images.placed_he import tissue_of
from sthelar_build.io.nucleus_maps import read_nucleus_map
from sthelar_build.settings.register import RegisterSettings


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    return make_turned_slide(tmp_path_factory.mktemp("judged") / "slide", turned_matrix())


@pytest.fixture(scope="module")
def course(slide):
    settings = RegisterSettings()
    nuclei = read_nucleus_map(slide.nuclei_table)
    with open_he(slide.he) as image:
        yield SlideCourse(
            image=image,
            nuclei=nuclei,
            tiles=tiles_with_nuclei(nuclei.points_um, settings.tile_um),
            tissue=tissue_of(image, 0.5),
            rule=settings.part(DriftRule),
            limits=settings.part(Limits),
            straightening=settings.part(StraighteningRule),
            smoothing_um=settings.smoothing_um,
            sampled_tiles=settings.sampled_tiles,
            is_thorough=True,
            threads=1,
        )


def placed(slide, course):
    size_px = (course.image.width_px, course.image.height_px)
    blank = blank_transform(size_px, "matrix", PIXEL_SIZE_UM)
    return replace(blank, he_to_morphology=slide.he_to_morphology, kept="given")


def test_the_true_map_passes_and_every_tile_is_in_its_place(slide, course):
    found = judged(course, placed(slide, course), None, None, ())
    assert (found.transform.verdict, found.transform.reasons) == ("pass", ())
    assert found.transform.median_um < 0.5
    assert found.tiles.tile.tolist() == course.tiles.tile.tolist()
    assert found.transform.quality["inside"] == 1
    assert found.transform.quality["distortion"] is None


def test_a_remark_alone_makes_a_warning(slide, course):
    found = judged(course, placed(slide, course), None, None, ("look at it",))
    assert (found.transform.verdict, found.transform.reasons) == ("warn", ("look at it",))
