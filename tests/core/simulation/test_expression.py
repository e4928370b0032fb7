import numpy as np
import pytest

from sthelar_build.core.simulation.breast import breast_cancer
from sthelar_build.core.simulation.expression import cell_counts
from sthelar_build.core.simulation.population import populate
from sthelar_build.core.simulation.programmes import programmes
from sthelar_build.core.simulation.recipe import Recipe


@pytest.fixture(scope="module")
def drawn():
    recipe = Recipe(width_um=200, height_um=200, low_count_share=0.2, mixed_share=0.2)
    population = populate(breast_cancer(np.random.default_rng(0), 200, 200, 0, 30), recipe)
    labels = tuple(dict.fromkeys(population.cells["fine_label"]))
    table = programmes(np.random.default_rng(0), labels, 250)
    counts = cell_counts(np.random.default_rng(1), population, table, 100.0, mixing=0.4)
    return population.cells, table, counts


def test_a_markers_counts_are_highest_in_its_type(drawn):
    cells, table, counts = drawn
    pure = cells["mixed_with"].isna().to_numpy() & ~cells["low_count"].to_numpy()
    epcam = counts[:, table.genes.index("EPCAM")]
    luminal = (cells["fine_label"] == "mammary_luminal").to_numpy()
    epithelial = (cells["class_name"] == "Epithelial").to_numpy()
    assert epcam[luminal & pure].mean() > 8 * epcam[~epithelial & pure].mean()


def test_low_count_cells_are_planted_with_few(drawn):
    cells, _, counts = drawn
    low = cells["low_count"].to_numpy()
    assert np.median(counts[low].sum(axis=1)) < 8
    assert np.median(counts[~low].sum(axis=1)) > 50


def test_counts_vary_more_than_poisson(drawn):
    cells, table, counts = drawn
    luminal = (cells["fine_label"] == "mammary_luminal").to_numpy()
    krt8 = counts[luminal, table.genes.index("KRT8")]
    assert krt8.var() > 1.5 * krt8.mean()
