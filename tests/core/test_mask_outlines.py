import numpy as np
import shapely

from sthelar_build.core.mask_outlines import mask_outlines
from sthelar_build.core.raster import instance_map


def test_outlines_run_along_pixel_edges_and_lie_where_the_map_lies():
    (outline,) = mask_outlines(np.array([[0, 7, 7], [0, 7, 7]]), 10, 20)
    assert outline.equals(shapely.box(11, 20, 13, 22))


def test_a_hole_is_kept_and_parts_that_meet_at_a_corner_only_are_two():
    labels = np.array([[2, 2, 2, 0], [2, 0, 2, 0], [2, 2, 2, 0], [0, 0, 0, 2]])
    (outline,) = mask_outlines(labels, 0, 0)
    assert outline.geom_type == "MultiPolygon"
    assert outline.area == 9
    assert outline.is_valid


def test_values_come_in_ascending_order_and_may_touch():
    outlines = mask_outlines(np.array([[9, 9, 3], [5, 5, 3]]), 0, 0)
    assert [outline.area for outline in outlines] == [2, 2, 2]
    assert outlines[0].bounds == (2, 0, 3, 2)


def test_an_empty_map_has_none():
    assert len(mask_outlines(np.zeros((3, 3), dtype=np.int32), 0, 0)) == 0


def test_outlines_drawn_again_give_the_map():
    labels = np.random.default_rng(0).integers(0, 4, (12, 15))
    outlines = mask_outlines(labels, 0, 0)
    assert (instance_map(outlines, [1, 2, 3], labels.shape) == labels).all()
