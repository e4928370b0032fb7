import numpy as np
import pytest

from sthelar_build.core.simulation.breast import breast_cancer
from sthelar_build.core.simulation.cell_types import cell_types


@pytest.fixture(scope="module")
def tissue():
    return breast_cancer(np.random.default_rng(0), 400, 300, 0.1, pad_um=30)


def test_all_niches_are_there(tissue):
    assert {tissue.niches[code].name for code in np.unique(tissue.niche)} == {
        niche.name for niche in tissue.niches
    }


def test_compositions_name_types_that_can_be_drawn(tissue):
    for niche in tissue.niches:
        assert set(niche.composition) <= set(cell_types().index)


def test_glass_lies_at_the_bottom_and_tissue_reaches_past_the_other_sides(tissue):
    x, y = tissue.grid.centres()
    on = tissue.on_tissue()
    assert on[y > 295].mean() < 0.05
    inside = (y > 0) & (y < 250) & (x > 0) & (x < 400)
    assert on[inside].mean() > 0.99
    assert on[(y > -10) & (y < 0) & (x > 0) & (x < 400)].mean() > 0.9


def test_no_glass_inside_when_none_is_asked_for():
    tissue = breast_cancer(np.random.default_rng(0), 200, 200, 0.0, pad_um=30)
    x, y = tissue.grid.centres()
    inside = (y > 0) & (y < 200) & (x > 0) & (x < 200)
    assert tissue.on_tissue()[inside].all()
