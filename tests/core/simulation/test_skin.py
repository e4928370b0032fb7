import numpy as np
import pytest

from sthelar_build.core.simulation.cell_types import cell_types
from sthelar_build.core.simulation.skin import skin


@pytest.fixture(scope="module")
def tissue():
    return skin(np.random.default_rng(0), 400, 400, 0.1, pad_um=30)


def mean_depth(tissue, name):
    _, y = tissue.grid.centres()
    return y[tissue.niche == tissue.index(name)].mean()


def test_the_layers_lie_in_order_below_the_glass(tissue):
    order = ["corneum", "granular", "spinous", "parabasal", "papillary_dermis", "reticular_dermis"]
    depths = [mean_depth(tissue, name) for name in order]
    assert depths == sorted(depths)
    _, y = tissue.grid.centres()
    assert not tissue.on_tissue()[y < 15].any()


def test_melanocytes_stand_in_the_basal_layer(tissue):
    basal = tissue.anchors[tissue.anchors["fine_label"] == "Melanocyte"]
    assert len(basal) > 3
    assert set(basal["niche"]) == {"parabasal"}


def test_compositions_name_types_that_can_be_drawn(tissue):
    for niche in tissue.niches:
        assert set(niche.composition) <= set(cell_types().index)
