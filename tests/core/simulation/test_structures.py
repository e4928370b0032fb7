import numpy as np
import pytest
import shapely

from sthelar_build.core.simulation.grid import Grid
from sthelar_build.core.simulation.structures import (
    WobblyEllipse,
    add_duct,
    add_fat,
    add_gland,
    add_muscle,
    add_vessel,
    apart,
    free_centres,
    hexagonal,
)
from sthelar_build.core.simulation.tissue import NO_CELLS, Niche, TissueBuilder

NAMES = ("glass", "stroma", "vessel", "duct", "gland", "muscle", "fat")
CENTRE = np.array([100.0, 100.0])


@pytest.fixture
def builder():
    niches = [Niche(name, NO_CELLS, {}, 0.5, 0.5, 0.1) for name in NAMES]
    return TissueBuilder.filled(Grid.around(200, 200, 0), niches, "stroma")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def labels(builder):
    return set(builder.build(np.zeros(builder.grid.shape, np.float32)).anchors["fine_label"])


def test_free_centres_keep_clear_of_borders_and_of_each_other(rng, builder):
    builder.niche[:, 100:] = 0
    centres = free_centres(rng, builder, ("stroma",), 4, 20)
    assert len(centres) == 4
    assert (centres[:, 0] <= 80).all()
    gaps = np.hypot(*(centres[:, None] - centres[None]).T)
    assert gaps[gaps > 0].min() > 40


def test_no_room_gives_no_centres(rng, builder):
    assert free_centres(rng, builder, ("vessel",), 3, 5).shape == (0, 2)


def test_a_ring_is_evenly_spaced_along_its_curve(rng):
    points, _ = WobblyEllipse(rng, CENTRE, 30.0, 1.4).ring(rng, 0.0, 10.0)
    gaps = np.hypot(*(points - np.roll(points, 1, axis=0)).T)
    assert gaps.min() > 4
    assert gaps.max() < 16


def test_a_vessel_has_a_lumen_with_endothelium_just_outside(rng, builder):
    add_vessel(rng, builder, CENTRE, 15.0)
    assert labels(builder) == {"Endothelial", "Smooth_muscle", "Pericyte"}
    lumen = builder.vessels[0]
    wall = builder.anchors[0][["x_um", "y_um"]].to_numpy()
    distance = shapely.distance(lumen, shapely.points(wall))
    assert ((distance > 0) & (distance < 3)).all()


def test_a_duct_has_basal_cells_around_luminal_ones_around_a_lumen(rng, builder):
    add_duct(rng, builder, CENTRE, 36.0)
    assert {"mammary_basal", "mammary_luminal"} <= labels(builder)
    reach = [
        np.hypot(*(frame[["x_um", "y_um"]].to_numpy() - CENTRE).T).mean()
        for frame in builder.anchors
    ]
    assert reach == sorted(reach, reverse=True)
    assert builder.cavities[0].contains(shapely.Point(CENTRE))


def test_a_gland_is_several_tubes(rng, builder):
    add_gland(rng, builder, CENTRE, 40.0)
    assert len(builder.cavities) >= 3
    assert "secretory" in labels(builder)


def test_every_adipocyte_has_a_droplet_and_sits_at_its_rim(rng, builder):
    add_fat(rng, builder, np.ones(builder.grid.shape, dtype=bool), 40.0)
    fat = builder.anchors[0]
    assert len(builder.vacuoles) > 10
    droplets = np.array(builder.vacuoles, dtype=object)[fat["vacuole"]]
    rim = shapely.distance(shapely.points(fat[["x_um", "y_um"]].to_numpy()), droplets)
    assert ((rim > 0.5) & (rim < 1.6)).all()


def test_muscle_lies_along_the_direction_that_it_reports(rng, builder):
    angle = add_muscle(rng, builder, CENTRE, 120.0)
    fibres = builder.anchors[0]
    assert fibres["angle"].mean() == pytest.approx(angle, abs=0.1)
    along = np.array([np.cos(angle), np.sin(angle)])
    offsets = fibres[["x_um", "y_um"]].to_numpy() - CENTRE
    assert (offsets @ along).std() > 2 * (offsets @ [-along[1], along[0]]).std()


def test_a_lattice_without_jitter_has_its_spacing(rng):
    points = hexagonal(rng, (0, 0, 50, 50), 10, jitter=0)
    gaps = np.hypot(*(points[:, None] - points[None]).T)
    assert gaps[gaps > 0].min() == pytest.approx(10)


def test_apart_keeps_the_far_ones():
    points = np.array([[0.0, 0.0], [5.0, 0.0]])
    assert apart(points, np.array([[1.0, 0.0]]), 2.0).tolist() == [False, True]
    assert apart(points, np.zeros((0, 2)), 2.0).tolist() == [True, True]
