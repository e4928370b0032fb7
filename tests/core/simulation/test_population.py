import numpy as np
import pytest
import shapely

from sthelar_build.core.simulation.breast import breast_cancer
from sthelar_build.core.simulation.population import populate
from sthelar_build.core.simulation.recipe import Recipe

RECIPE = Recipe(
    width_um=150, height_um=150, mixed_share=0.3, no_nucleus_share=0.1, two_nuclei_share=0.5
)


@pytest.fixture(scope="module")
def population():
    tissue = breast_cancer(np.random.default_rng(0), 150, 150, 0.08, pad_um=30)
    return populate(tissue, RECIPE)


def test_cells_without_nucleus_own_none_and_some_own_two(population):
    count = np.bincount(population.owner, minlength=len(population.cells))
    assert np.array_equal(count == 0, ~population.cells["has_nucleus"].to_numpy())
    assert count.max() == 2


def test_twins_do_not_cover_each_other(population):
    twin = np.flatnonzero(population.owner[1:] == population.owner[:-1])
    pairs = shapely.intersection(population.nuclei[twin], population.nuclei[twin + 1])
    assert np.median(shapely.area(pairs)) < 1.0


def test_mixed_cells_take_from_another_class(population):
    cells = population.cells
    mixed = cells[cells["mixed_with"].notna()]
    classes = cells.drop_duplicates("fine_label").set_index("fine_label")["class_name"]
    assert len(mixed) > 10
    assert (classes[mixed["mixed_with"]].to_numpy() != mixed["class_name"].to_numpy()).all()


def test_an_adipocyte_is_far_larger_than_its_nucleus(population):
    fat = np.flatnonzero(population.cells["vacuole"] >= 0)
    assert len(fat)
    assert shapely.area(population.outlines[fat]).min() > 200


def test_all_outlines_and_nuclei_are_valid(population):
    assert shapely.is_valid(population.outlines).all()
    assert shapely.is_valid(population.nuclei).all()
