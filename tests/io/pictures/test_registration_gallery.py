"""Which tiles are shown."""

import pandas as pd

from sthelar_build.io.pictures.registration_gallery import _shown_tiles


def tiles(residuals, n_nuclei):
    number = range(len(residuals))
    return pd.DataFrame({"tile": number, "residual_um": residuals, "n_nuclei": n_nuclei})


def test_five_places_by_residual_are_shown():
    residuals = [3.0, None, 1.0, 9.0, 2.0, 5.0, 4.0, 8.0, 6.0, 7.0]
    shown = _shown_tiles(tiles(residuals, [9] * 10))
    assert [tile.residual_um for tile in shown] == [1, 3, 5, 7, 9]


def test_without_enough_measurements_the_fullest_tiles_are_shown():
    shown = _shown_tiles(tiles([None, 1.0, None, None, None, 2.0], [4, 1, 9, 7, 5, 3]))
    assert [tile.n_nuclei for tile in shown] == [9, 7, 5, 4, 3]


def test_a_slide_of_one_tile_shows_it_five_times():
    assert [tile.n_nuclei for tile in _shown_tiles(tiles([None], [4]))] == [4] * 5
