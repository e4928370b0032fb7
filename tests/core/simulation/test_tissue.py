import numpy as np
import pytest
from shapely import box

from sthelar_build.core.simulation.grid import Grid
from sthelar_build.core.simulation.tissue import NO_CELLS, Niche, TissueBuilder, lay_glass

NICHES = [Niche(name, NO_CELLS, {}, 0.5, 0.5, 0.1) for name in ("glass", "stroma", "duct")]


@pytest.fixture
def builder():
    return TissueBuilder.filled(Grid.around(40, 30, 0), NICHES, "stroma")


def test_a_polygon_paints_the_pixels_whose_centres_it_holds(builder):
    builder.paint_polygon("duct", box(5, 5, 8, 7))
    assert builder.mask("duct").sum() == 6
    assert builder.mask("duct")[5:7, 5:8].all()


def test_a_polygon_over_the_edge_paints_what_is_there(builder):
    builder.paint_polygon("duct", box(-10, -10, 2, 3))
    assert builder.mask("duct").sum() == 6


def test_glass_stays_glass_and_holds_no_anchor(builder):
    builder.niche[:, :20] = 0
    builder.paint_polygon("duct", box(10, 0, 30, 10))
    assert builder.mask("duct").sum() == 100
    builder.anchor(np.array([[5.0, 5.0], [25.0, 5.0]]), "B", "duct", 0.0)
    assert builder.build(np.zeros((30, 40), np.float32)).anchors["x_um"].tolist() == [25.0]


def test_a_tissue_without_structures_has_an_empty_table_of_anchors(builder):
    tissue = builder.build(np.zeros((30, 40), np.float32))
    assert len(tissue.anchors) == 0
    assert tissue.on_tissue().all()
    assert tissue.index("duct") == 2


def test_the_rim_of_the_grid_is_glass(builder):
    lay_glass(builder, np.zeros((30, 40), dtype=bool), np.zeros((30, 40), dtype=np.float32))
    assert not builder.mask("glass")[9:21, 9:31].any()
    assert builder.mask("glass")[:9].all()
