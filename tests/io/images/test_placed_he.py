"""The H&E as tiles see it."""

import numpy as np
import pytest

from slides.turned_slide import SIDE_UM, make_turned_slide, turned_matrix
from sthelar_build.core.drift import DriftRule, measure_tile, tile_table
from sthelar_build.core.nucleus_map import NucleusMap
from sthelar_build.core.nucleus_tiles import tiles_with_nuclei
from sthelar_build.core.outlines import Outlines
from sthelar_build.core.registration import Window
from sthelar_build.io.images.he import open_he
from sthelar_build.io.images.placed_he import PlacedHe, tissue_of
from sthelar_build.io.workers import map_threads

RULE = DriftRule(tile_um=100, search_um=10, um_per_px=0.5, min_nuclei=5, min_gain=0.1, match_um=4)


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    return make_turned_slide(
        tmp_path_factory.mktemp("placed") / "slide", turned_matrix(mirrored=True)
    )


@pytest.fixture(scope="module")
def he(slide):
    with open_he(slide.he) as image:
        yield PlacedHe(image, slide.um_to_he, tissue_of(image, 0.35), smoothing_um=0.5)


def test_glass_beside_the_section_is_no_tissue(he):
    points_um = np.array([[150.0, 150], [5, 5], [-25, 150], [SIDE_UM + 25, 150], [5000, 150]])
    assert he.on_tissue(points_um).tolist() == [True, True, False, False, False]


def test_a_wrong_pixel_size_does_not_blind_the_look_at_tissue(slide):
    with open_he(slide.he) as image:
        image.um_per_px = None
        coarse, fine = tissue_of(image, 40.0), tissue_of(image, 0.001)
    for tissue in (coarse, fine):
        assert min(tissue.mask.shape) > 15
        assert 0.4 < tissue.mask.mean() < 1


def test_windows_beyond_the_image_are_not_covered(he):
    assert he.covers(Window(100, 100, 0.5, (100, 100)))
    assert not he.covers(Window(-300, 100, 0.5, (100, 100)))


def test_tiles_may_be_measured_by_threads_and_all_fit(slide, he):
    frame = slide.nuclei
    points_um = frame[["x_um", "y_um"]].to_numpy()
    nuclei = NucleusMap(Outlines.of(frame.geometry), points_um, frame.area_um2.to_numpy())
    tiles = tiles_with_nuclei(points_um, RULE.tile_um)
    centres_um = list(zip(tiles.x_um, tiles.y_um, strict=True))

    def measure(centre_um):
        return measure_tile(centre_um, nuclei, he, RULE)

    one = tile_table(tiles, map_threads(measure, centres_um, 1))
    two = tile_table(tiles, map_threads(measure, centres_um, 2))
    assert one.equals(two)
    assert (one.residual_um < 0.3).all()
    assert (one.n_matched > 0.6 * one.n_nuclei).all()
