import numpy as np
import pytest

from sthelar_build.core.simulation.grid import Grid
from sthelar_build.core.simulation.matrix import matrix_eosin, tissue_thickness
from sthelar_build.core.simulation.tissue import NO_CELLS, Niche, TissueBuilder

NICHES = [
    Niche("glass", NO_CELLS, {}, eosin=0.0, fibrous=0.0, clefts=0.0),
    Niche("smooth", NO_CELLS, {}, eosin=0.4, fibrous=0.0, clefts=0.0),
    Niche("torn", NO_CELLS, {}, eosin=0.8, fibrous=1.0, clefts=0.3),
]


@pytest.fixture(scope="module")
def tissue():
    builder = TissueBuilder.filled(Grid.around(120, 120, 0), NICHES, "smooth")
    builder.niche[:, 60:] = 2
    builder.niche[:20] = 0
    return builder.build(np.zeros((120, 120), np.float32))


def test_a_smooth_niche_has_its_level_and_a_torn_one_has_gaps(tissue):
    eosin = matrix_eosin(np.random.default_rng(0), tissue)
    assert eosin.shape == (240, 240)
    smooth, torn = eosin[60:, :100], eosin[60:, 140:]
    assert smooth.mean() == pytest.approx(0.4, rel=0.05)
    assert smooth.std() < 0.05 < torn.std()
    assert 0.1 < (torn < 0.25).mean() < 0.5


def test_glass_has_no_thickness_and_tissue_about_one(tissue):
    thickness = tissue_thickness(np.random.default_rng(0), tissue)
    assert thickness[:15].max() < 0.01
    assert thickness[30:].mean() == pytest.approx(1, abs=0.2)
