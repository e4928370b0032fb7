"""The map of the residuals."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sthelar_build.io.pictures.registration_drift import draw_drift, thinned_arrows


def tiles(n=3, reason=None):
    shift = [0.5 * place if reason is None else np.nan for place in range(n)]
    return pd.DataFrame(
        {
            "x_um": 100.0 * np.arange(n) + 50,
            "y_um": np.full(n, 50.0),
            "dx_um": shift,
            "dy_um": shift,
            "residual_um": np.hypot(shift, shift),
            "reason": [reason] * n,
        }
    )


@pytest.mark.parametrize("reason", [None, "flat", "no_tissue"])
def test_a_field_is_drawn_even_without_any_measurement(tmp_path, reason):
    draw_drift(tmp_path / "drift.png", tiles(reason=reason), tile_um=100, far_um=5)
    with Image.open(tmp_path / "drift.png") as picture:
        assert min(picture.size) > 300


def test_a_correction_is_drawn_beside_the_field(tmp_path):
    draw_drift(tmp_path / "one.png", tiles(), 100, 5)
    draw_drift(tmp_path / "two.png", tiles(), 100, 5, np.ones((3, 2)))
    with Image.open(tmp_path / "one.png") as one, Image.open(tmp_path / "two.png") as two:
        assert two.size[0] > 1.5 * one.size[0]


def test_few_arrows_stay_as_they_are():
    places, shifts = np.array([[50.0, 50], [150, 50]]), np.array([[1.0, 0], [0, 1]])
    assert thinned_arrows(places, shifts, 100, 10)[0] is places


def test_too_many_arrows_become_means_over_squares():
    x, y = (
        grid.ravel() for grid in np.meshgrid(np.arange(4) * 100 + 50.0, np.arange(4) * 100 + 50.0)
    )
    places, shifts = np.stack([x, y], axis=1), np.stack([x, y * 0], axis=1)
    means, moved, apart_um = thinned_arrows(places, shifts, tile_um=100, max_arrows=4)
    assert apart_um == 200
    assert means.tolist() == [[100, 100], [100, 300], [300, 100], [300, 300]]
    assert moved.tolist() == [[100, 0], [100, 0], [300, 0], [300, 0]]
