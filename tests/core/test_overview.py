"""The nuclei that a whole H&E shows at low resolution."""

import numpy as np
import pytest

from slides.spots import NUCLEUS, STROMA
from sthelar_build.core import overview
from sthelar_build.core.overview import CLUMPS_UM, SPOTS_UM, Overview, overview_of
from sthelar_build.core.registration import Window
from sthelar_build.schema.frames import Affine, Frame

UM_PER_PX = 2.0


def stroma(shape=(80, 90)):
    return np.full((*shape, 3), STROMA, dtype=np.uint8)


def spots_of(rgb, around_um=SPOTS_UM):
    return overview_of(
        lambda start, stop: rgb[start:stop], rgb.shape[:2], (4, 4), UM_PER_PX, around_um
    )


def one_spot(shape=(6, 8)):
    """A spot over the level-0 pixels 16 to 20 of x and 8 to 12 of y."""
    spots = np.zeros(shape, dtype=np.uint8)
    spots[2, 4] = 200
    return Overview(spots, (4, 4))


def um_to_he(matrix):
    return Affine(np.array(matrix), Frame.UM, Frame.HE)


@pytest.mark.parametrize("around_um", [SPOTS_UM, CLUMPS_UM])
def test_a_nucleus_shows_and_even_stroma_does_not(around_um):
    rgb = stroma()
    rgb[40:43, 50:53] = NUCLEUS
    spots = spots_of(rgb, around_um).spots
    assert np.unravel_index(spots.argmax(), spots.shape) == (41, 51)
    assert spots[41, 51] > 100
    assert not spots[:15].any()


def test_a_pen_mark_does_not_show_in_its_middle():
    rgb = stroma()
    rgb[20:60, 20:60] = NUCLEUS
    spots = spots_of(rgb).spots
    assert spots.max() > 50  # its edge
    assert not spots[35:45, 35:45].any()


def test_a_gland_of_touching_nuclei_shows_among_wider_surroundings_only():
    rgb = stroma()
    rgb[32:48, 32:48] = NUCLEUS
    assert spots_of(rgb, SPOTS_UM).spots[40, 40] < 10
    assert spots_of(rgb, CLUMPS_UM).spots[40, 40] > 100


def test_twice_the_stain_counts_far_less_than_twice():
    rgb = stroma()
    rgb[20:23, 20:23] = NUCLEUS
    # The square of each transmission: twice the optical density.
    rgb[60:63, 60:63] = np.square(np.array(NUCLEUS) / 255) * 255
    spots = spots_of(rgb).spots.astype(float)
    assert 1 < spots[61, 61] / spots[21, 21] < 1.5


@pytest.mark.parametrize("rows", [7, 20, 79, 80])
def test_read_in_few_rows_it_is_the_same_as_in_one_piece(rows, monkeypatch):
    rgb = np.random.default_rng(0).integers(0, 255, (80, 30, 3), dtype=np.uint8)
    whole = spots_of(rgb).spots
    monkeypatch.setattr(overview, "_ROWS", rows)
    np.testing.assert_array_equal(spots_of(rgb).spots, whole)


def test_no_more_rows_than_a_piece_and_its_surroundings_are_read_at_once(monkeypatch):
    monkeypatch.setattr(overview, "_ROWS", 10)
    read = []

    def rows(start, stop):
        read.append((start, stop))
        return stroma((stop - start, 12))

    overview_of(rows, (25, 12), (4, 4), UM_PER_PX, around_um=1.0)
    assert read == [(0, 12), (8, 22), (18, 25)]


def test_reducing_keeps_the_mean_and_doubles_the_step():
    spots = np.array([[10, 20, 0, 4], [30, 40, 8, 8]], dtype=np.uint8)
    half = Overview(spots, (4, 3)).reduced(2)
    assert half.spots.tolist() == [[25, 5]]
    assert half.spots.dtype == np.uint8
    assert half.step_px == (8, 6)


def test_what_is_missing_at_the_far_border_counts_as_empty():
    spots = np.full((1, 3), 100, dtype=np.uint8)
    assert Overview(spots, (4, 4)).reduced(2).spots.tolist() == [[50, 25]]


def test_reducing_by_one_changes_nothing():
    found = one_spot()
    assert found.reduced(1) is found


def test_the_size_is_that_of_level_0():
    assert Overview(np.zeros((6, 8), dtype=np.uint8), (4, 3)).size_px == (32, 18)


def test_a_window_shows_the_spot_where_the_map_puts_it():
    # 2 px per um: the spot lies at 8 to 10 um of x and 4 to 6 um of y.
    found = one_spot().window(Window(0, 0, 2, (8, 8)), um_to_he(np.diag([2, 2, 1])))
    assert np.unravel_index(found.argmax(), found.shape) == (2, 4)
    assert found.sum() == pytest.approx(200, rel=0.01)


def test_a_window_is_drawn_turned_and_mirrored_as_the_map_says():
    # He (x, y) = um (y, x): the spot lies at 8 to 12 um of x and 16 to 20 um of y.
    mirror = um_to_he([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    found = one_spot().window(Window(0, 0, 4, (8, 6)), mirror)
    assert np.unravel_index(found.argmax(), found.shape) == (4, 2)


def test_a_window_that_starts_elsewhere_shows_the_spot_elsewhere():
    found = one_spot().window(Window(-4, 4, 4, (6, 8)), um_to_he(np.eye(3)))
    assert np.unravel_index(found.argmax(), found.shape) == (1, 5)


@pytest.mark.parametrize("left_um", [-400, 400])
def test_a_window_beyond_the_image_is_empty(left_um):
    bright = Overview(np.full((6, 8), 200, dtype=np.uint8), (4, 4))
    found = bright.window(Window(left_um, 0, 4, (5, 7)), um_to_he(np.eye(3)))
    assert found.tolist() == np.zeros((5, 7)).tolist()


def test_beside_the_border_a_window_is_empty_and_inside_full():
    bright = Overview(np.full((6, 20), 200, dtype=np.uint8), (4, 4))
    found = bright.window(Window(-40, 8, 4, (1, 20)), um_to_he(np.eye(3)))[0]
    assert not found[:7].any()
    np.testing.assert_allclose(found[13:], 200, atol=0.1)


def test_a_coarse_window_shows_the_mean_of_what_lies_beneath():
    checkers = np.indices((64, 64)).sum(axis=0) % 2 * 200
    found = Overview(checkers.astype(np.uint8), (4, 4)).window(
        Window(60, 60, 12, (8, 8)), um_to_he(np.eye(3))
    )
    np.testing.assert_allclose(found, 100, atol=1)
