"""Which tiles are shown."""

import pandas as pd

from sthelar_build.io.pictures.registration_gallery import _shown_tiles


def tiles(residuals, n_nuclei):
    number = range(len(residuals))
    return pd.DataFrame({"tile": number, "residual_um": residuals, "n_nuclei": n_nuclei})


def test_the_best_the_median_and_the_worst_tile_are_shown():
    shown = _shown_tiles(tiles([3.0, None, 1.0, 9.0, 2.0, 5.0], [9] * 6))
    assert [tile.residual_um for tile in shown] == [1, 3, 9]


def test_without_enough_measurements_the_fullest_tiles_are_shown():
    shown = _shown_tiles(tiles([None, 1.0, None, None], [4, 1, 9, 7]))
    assert [tile.n_nuclei for tile in shown] == [9, 7, 4]


def test_a_slide_of_one_tile_shows_it_three_times():
    assert [tile.n_nuclei for tile in _shown_tiles(tiles([None], [4]))] == [4, 4, 4]
