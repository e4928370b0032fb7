import numpy as np
import pytest
from scipy.spatial import cKDTree

from sthelar_build.core.simulation.grid import Grid
from sthelar_build.core.simulation.placement import place_cells
from sthelar_build.core.simulation.tissue import NO_CELLS, Niche, TissueBuilder

NICHES = [
    Niche("glass", NO_CELLS, {}, 0, 0, 0),
    Niche("dense", 8.0, {"B": 0.75, "T": 0.25}, 0, 0, 0),
    Niche("sparse", 16.0, {"Fibroblast": 1.0}, 0, 0, 0),
]


@pytest.fixture(scope="module")
def tissue():
    builder = TissueBuilder.filled(Grid.around(300, 300, 0), NICHES, "dense")
    builder.niche[:, 150:] = 2
    builder.niche[:, :30] = 0
    builder.anchor(np.array([[90.0, 150.0]]), "Endothelial", "dense", 0.5)
    return builder.build(np.zeros((300, 300), np.float32))


def placed(tissue, density=1.0):
    return place_cells(np.random.default_rng(0), tissue, density)


def test_niches_are_filled_at_their_spacing_with_their_types(tissue):
    cells = placed(tissue)
    assert cells["x_um"].min() > 30
    dense, sparse = (cells[cells["niche"] == name] for name in ("dense", "sparse"))
    assert set(dense["fine_label"]) == {"B", "T", "Endothelial"}
    assert (dense["fine_label"] == "B").mean() == pytest.approx(0.75, abs=0.08)
    ratio = (len(dense) / (120 * 300)) / (len(sparse) / (150 * 300))
    assert ratio == pytest.approx(4, rel=0.25)


def test_fixed_cells_stay_and_free_ones_keep_their_distance(tissue):
    cells = placed(tissue)
    points = cells[["x_um", "y_um"]].to_numpy()
    assert points[0].tolist() == [90.0, 150.0]
    gaps = cKDTree(points).query(points, k=2)[0][:, 1]
    assert gaps[0] > 3.5
    assert np.quantile(gaps, 0.02) > 3.5


def test_density_scales_the_number_of_cells(tissue):
    assert len(placed(tissue, 0.5)) == pytest.approx(len(placed(tissue)) / 2, rel=0.1)
