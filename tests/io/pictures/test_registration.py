"""Pictures of a registration."""

import numpy as np
import pandas as pd
from PIL import Image
from shapely import Polygon, box

from sthelar_build.io.pictures.registration import checkerboard, draw_drift, rings_of


def test_every_ring_is_outlined_once():
    holed = Polygon(box(0, 0, 5, 5).exterior, [box(2, 2, 3, 3).exterior])
    rings = rings_of(np.array([holed, box(7, 7, 9, 9)]))
    assert [len(ring) for ring in rings] == [5, 5, 5]
    assert rings[2].max() == 9


def test_squares_alternate_between_h_and_e_and_dapi():
    he = np.full((16, 16, 3), 200, np.uint8)
    dapi = np.zeros((16, 16), np.float32)
    mixed = checkerboard(he, dapi)
    assert mixed[::2, ::2, 0].tolist() == [
        [200 * ((r + c) % 2 == 0) for c in range(8)] for r in range(8)
    ]


def test_dapi_is_stretched_over_the_greys():
    dapi = np.tile(np.linspace(100, 900, 800, dtype=np.float32), (800, 1))
    mixed = checkerboard(np.zeros((800, 800, 3), np.uint8), dapi)
    assert mixed.max() == 255


def test_a_field_without_any_measurement_is_still_drawn(tmp_path):
    tiles = pd.DataFrame(
        {"x_um": [50.0], "y_um": [50.0], "dx_um": [None], "dy_um": [None], "residual_um": [None]}
    )
    draw_drift(tmp_path / "drift.png", tiles, tile_um=100, far_um=5)
    with Image.open(tmp_path / "drift.png") as picture:
        assert min(picture.size) > 300
