"""The place of the nuclei on the H&E, found unattended."""

import numpy as np
import pytest

from slides import spots
from sthelar_build.core import automatic
from sthelar_build.core.automatic import find_place


@pytest.fixture(scope="module")
def outlines():
    return spots.field()


@pytest.fixture(scope="module")
def nuclei(outlines):
    return spots.mapped(outlines)


@pytest.fixture
def one_look(monkeypatch):
    """Where nothing can be found, one look shows it as well as all."""
    monkeypatch.setattr(automatic, "_LOOKS", automatic._LOOKS[:1])


@pytest.mark.parametrize(
    ("turn_deg", "mirrored", "um_per_px"),
    [(0, False, 0.5), (93, False, 0.7), (200, True, 0.6), (287, True, 1.0)],
)
def test_a_turned_or_mirrored_h_and_e_is_found(turn_deg, mirrored, um_per_px, outlines, nuclei):
    truth, shape = spots.lying(turn_deg, mirrored=mirrored, um_per_px=um_per_px)
    he = spots.painted(outlines, truth, shape)
    found = find_place(nuclei, he, (um_per_px, um_per_px))
    assert spots.error_um(found.um_to_he, truth, nuclei.points_um) < 0.3
    assert found.agreeing > 0.8


def test_a_pixel_size_that_is_wrong_by_8_percent_does_not_matter(outlines, nuclei):
    truth, shape = spots.lying(40, mirrored=False, um_per_px=0.8)
    he = spots.painted(outlines, truth, shape)
    stated = 0.8 * 1.08
    found = find_place(nuclei, he, (0.9 * stated, 1.1 * stated))
    assert spots.error_um(found.um_to_he, truth, nuclei.points_um) < 0.3


def test_an_h_and_e_that_shows_60_percent_of_the_nuclei_is_enough(outlines, nuclei):
    truth, shape = spots.lying(30, mirrored=True, um_per_px=0.7)
    rgb = spots.painted(outlines, truth, shape).rgb
    kept = spots.PaintedHe(rgb[: round(0.6 * shape[0])])
    found = find_place(nuclei, kept, (0.7, 0.7))
    assert spots.error_um(found.um_to_he, truth, nuclei.points_um) < 0.3


@pytest.mark.usefixtures("one_look")
def test_with_the_h_and_e_of_other_nuclei_hardly_a_window_speaks_for_the_place(nuclei):
    truth, shape = spots.lying(30, mirrored=False, um_per_px=0.7)
    he = spots.painted(spots.field(seed=1), truth, shape)
    found = find_place(nuclei, he, (0.7, 0.7))
    # With the right one 14 of 14 agree, and the support is 13.
    assert found is None or (found.n_agreeing < 6 and found.support < 2)


@pytest.mark.usefixtures("one_look")
def test_on_an_empty_h_and_e_no_place_is_found(nuclei):
    rgb = np.full((400, 400, 3), 240, dtype=np.uint8)
    assert find_place(nuclei, spots.PaintedHe(rgb), (1.0, 1.0)) is None
