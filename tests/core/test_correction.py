"""A smooth displacement, and the map that it is part of."""

import numpy as np
import pytest
import shapely

from sthelar_build.core.correction import CorrectedMap, Correction
from sthelar_build.schema.frames import Affine, Frame

TURNED = Affine(np.array([[0, 4.0, 30], [-4.0, 0, 9000], [0, 0, 1]]), Frame.UM, Frame.HE)


def hill(height_um=2.0):
    """A hill of dx at (200, 300) um, and dy of 1 um everywhere."""
    shift_um = np.zeros((7, 5, 2))
    shift_um[3, 2, 0] = height_um
    shift_um[..., 1] = 1
    return Correction(0, 0, 100, shift_um)


def waves(amplitude_um=10.0, length_um=1500.0, step_um=200.0):
    rows, columns = np.indices((16, 16)) * step_um * 2 * np.pi / length_um
    return Correction(
        -500, -500, step_um, amplitude_um * np.stack([np.sin(rows), np.sin(columns)], axis=2)
    )


def test_nodes_move_by_their_shifts_and_what_lies_between_by_less():
    moved = hill().apply([[200, 300], [0, 0], [150, 300], [200, 250]])
    np.testing.assert_allclose(moved[:2], [[202, 301], [0, 1]], atol=1e-9)
    assert 1 < moved[2, 0] - 150 < 2
    assert moved[3, 0] - 200 == pytest.approx(moved[2, 0] - 150, abs=0.05)


def test_beyond_the_grid_the_value_of_the_border_counts():
    slope = Correction(0, 0, 10, np.tile(np.arange(4.0)[:, None, None], (1, 3, 2)))
    far = slope.apply([[10, 30], [10, 1e6], [-1e6, -1e6]]) - [[10, 30], [10, 1e6], [-1e6, -1e6]]
    np.testing.assert_allclose(far, [[3, 3], [3, 3], [0, 0]], atol=1e-9)


def test_a_coarse_grid_follows_a_wave():
    points = np.random.default_rng(0).uniform(0, 2000, (500, 2))
    truth = 10 * np.sin((points[:, ::-1] + 500) * 2 * np.pi / 1500)
    np.testing.assert_allclose(waves().apply(points) - points, truth, atol=0.15)


def test_many_points_are_moved_as_one_by_one(monkeypatch):
    points = np.random.default_rng(0).uniform(-100, 800, (50, 2))
    together = hill().apply(points)
    monkeypatch.setattr("sthelar_build.core.correction._CHUNK", 7)
    np.testing.assert_array_equal(hill().apply(points), together)
    assert hill().apply(np.empty((0, 2))).shape == (0, 2)


def test_the_largest_shift_is_that_of_a_node():
    assert hill(height_um=-2).largest_um == pytest.approx(np.sqrt(5))


def test_lengths_are_those_that_a_file_holds():
    shift_um = np.full((3, 3, 2), 1 / 3)
    kept = Correction(1 / 3, 0, 100, shift_um)
    assert (kept.left_um, kept.shift_um[0, 0, 0]) == (0.3333, 0.3333)


@pytest.mark.parametrize("shape", [(5, 5), (2, 5, 2), (5, 5, 3)])
def test_shifts_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="at least 3 x 3"):
        Correction(0, 0, 100, np.zeros(shape))


def test_missing_shifts_are_refused():
    with pytest.raises(ValueError, match="finite"):
        Correction(0, 0, 100, np.full((3, 3, 2), np.nan))


def test_a_point_is_moved_in_um_and_then_mapped():
    both = CorrectedMap(hill(), TURNED)
    assert (both.source, both.target) == (Frame.UM, Frame.HE)
    assert both.scale == pytest.approx(4)
    np.testing.assert_allclose(both.apply([[200, 300]]), TURNED.apply([[202, 301]]))


def test_a_polygon_is_mapped_vertex_by_vertex():
    both, triangle = CorrectedMap(hill(), TURNED), [[200, 300], [0, 0], [150, 300], [200, 300]]
    (mapped,) = both.apply_to_geometries([shapely.Polygon(triangle)])
    np.testing.assert_array_equal(shapely.get_coordinates(mapped), both.apply(triangle))


def test_only_maps_out_of_um_are_corrected():
    with pytest.raises(ValueError, match="not in he"):
        CorrectedMap(hill(), TURNED.inverse())


def test_near_a_place_the_map_is_affine_and_right_on_average():
    both = CorrectedMap(waves(), TURNED)
    side = np.arange(-56, 60, 8.0)
    places = np.stack(np.meshgrid(side + 700, side + 640), axis=-1).reshape(-1, 2)
    off_um = (both.near(places).apply(places) - both.apply(places)) / TURNED.scale
    np.testing.assert_allclose(off_um.mean(axis=0), 0, atol=1e-9)
    assert np.linalg.norm(off_um, axis=1).max() < 0.3
    without = np.linalg.norm(TURNED.apply(places) - both.apply(places), axis=1) / TURNED.scale
    assert without.mean() > 5


def test_without_a_wave_the_map_near_a_place_is_the_map():
    level = CorrectedMap(Correction(0, 0, 100, np.full((4, 4, 2), 3.0)), TURNED)
    places = np.array([[10.0, 20], [90, 25], [40, 80]])
    np.testing.assert_allclose(level.near(places).apply([[500, 5]]), level.apply([[500, 5]]))


def test_what_is_undone_is_what_was_before():
    points = np.random.default_rng(1).uniform(-600, 3000, (400, 2))
    for correction in (hill(), waves()):
        np.testing.assert_allclose(correction.undo(correction.apply(points)), points, atol=2e-4)
    assert hill().undo(np.empty((0, 2))).shape == (0, 2)
