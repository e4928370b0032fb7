import numpy as np
import pytest
from shapely import Polygon, box

from sthelar_build.core.new_nuclei import new_nuclei


def kept(*shapes, size=(100, 50), area=(2, 500), ids=None):
    names = np.array(ids or [None] * len(shapes), dtype=object)
    return new_nuclei(np.array(shapes, dtype=object), names, size, area)


def test_nuclei_keep_their_order_and_names_and_get_new_ids():
    found = kept(box(5, 5, 9, 9), box(0, 0, 2, 2), ids=["b", "a"])
    assert found.table["nucleus_id"].tolist() == [1, 2]
    assert found.table["cell_id"].tolist() == ["aaaaaaab-1", "aaaaaaac-1"]
    assert found.table["source_id"].tolist() == ["b", "a"]
    assert found.table["area_um2"].tolist() == [16, 4]
    assert found.left_out == {}


def test_an_outline_that_crosses_itself_is_made_valid_and_marked():
    bow_tie = Polygon([(0, 0), (4, 4), (4, 0), (0, 4)])
    found = kept(bow_tie, box(20, 0, 23, 3))
    assert found.table["repaired"].tolist() == [True, False]
    assert found.table["area_um2"][0] == 8


def test_what_is_no_nucleus_is_counted_by_the_first_reason():
    line = Polygon([(0, 0), (4, 0), (8, 0)])
    found = kept(
        None, line, box(0, 0, 1, 1), box(0, 0, 40, 40), box(99, 0, 109, 5), box(-2, 45, 1, 60), box(9, 9, 12, 12)
    )  # fmt: skip
    assert found.left_out == {
        "without area": 2,
        "too small": 1,
        "too large": 1,
        "outside the image": 2,
    }
    assert len(found.table) == 1


@pytest.mark.parametrize("twin", [box(0, 0, 4, 4), box(0.1, 0, 4.1, 4)])
def test_an_outline_drawn_twice_is_there_once(twin):
    found = kept(box(0, 0, 4, 4), twin, box(9, 9, 12, 12))
    assert len(found.table) == 2
    assert found.left_out == {"covered by smaller ones": 1}


def test_nuclei_that_share_a_little_stay_as_they_are_drawn():
    assert kept(box(0, 0, 4, 4), box(3, 0, 7, 4)).table["area_um2"].tolist() == [16, 16]


def test_no_outlines_give_an_empty_table():
    found = kept()
    assert len(found.table) == 0
    assert found.left_out == {}
