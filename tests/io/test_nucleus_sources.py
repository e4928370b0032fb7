"""What nuclei can be drawn from."""

import logging

import numpy as np
import pytest

from slides.pixel_slide import make_pixel_slide
from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.nucleus_sources import POLYGONS, RASTER, nucleus_sources
from sthelar_build.io.placed_nuclei import read_placed_nuclei
from sthelar_build.io.xenium.bundle import CELLS_ZARR

BOTH = {POLYGONS, RASTER}


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    return make_pixel_slide(tmp_path_factory.mktemp("sources") / "slide")


@pytest.fixture(scope="module")
def placed(slide):
    return read_placed_nuclei(slide.nuclei_table, slide.labels, slide.transform, 1.0)


def test_both_draw_the_same_patches_where_the_outlines_follow_the_pixels(slide, placed):
    lefts = np.array([100, 300, 500])
    with nucleus_sources(placed, slide.xenium, POLYGONS, BOTH, 256, 10) as sources:
        drawn, visible, n_slivers = sources[POLYGONS](lefts, 300)
        seen, shown, n_left_out = sources[RASTER](lefts, 300)
    assert drawn.any(axis=(1, 2)).all()
    np.testing.assert_array_equal(drawn, seen)
    assert n_slivers == n_left_out
    for name in ("patch", "nucleus_id", "class_index", "visible_px", "touches_border"):
        assert getattr(visible, name).tolist() == getattr(shown, name).tolist()


def test_only_what_is_asked_for_is_opened(slide, placed):
    with nucleus_sources(placed, None, POLYGONS, set(), 256, 10) as sources:
        assert set(sources) == {POLYGONS}
    with nucleus_sources(placed, slide.xenium, RASTER, set(), 256, 10) as sources:
        assert set(sources) == {RASTER}


def test_a_wanted_raster_may_be_missing_and_is_logged_and_a_needed_one_may_not(
    tmp_path, placed, caplog
):
    with (
        caplog.at_level(logging.WARNING),
        nucleus_sources(placed, tmp_path, POLYGONS, BOTH, 256, 10) as sources,
    ):
        assert set(sources) == {POLYGONS}
    assert f"{tmp_path / CELLS_ZARR}: expected the cell store" in caplog.text
    with (
        pytest.raises(InputError, match="expected the cell store"),
        nucleus_sources(placed, tmp_path, RASTER, set(), 256, 10),
    ):
        pass


def test_a_needed_raster_needs_the_bundle(placed):
    with (
        pytest.raises(ConfigError, match="found no --xenium"),
        nucleus_sources(placed, None, RASTER, set(), 256, 10),
    ):
        pass
