import numpy as np
import pytest

from sthelar_build.core.simulation.atlas import CELLS_PER_TYPE, reference_atlas
from sthelar_build.core.simulation.programmes import programmes

LABELS = ("T", "Plasma", "CAF")


@pytest.fixture(scope="module")
def atlas():
    table = programmes(np.random.default_rng(0), LABELS, 120)
    return table, reference_atlas(np.random.default_rng(1), table, 500)


def test_every_type_has_enough_cells(atlas):
    _, drawn = atlas
    labels, sizes = np.unique(drawn.labels.astype(str), return_counts=True)
    assert set(labels) == set(LABELS)
    assert sizes.min() >= CELLS_PER_TYPE
    assert sizes.sum() == 500


def test_a_small_atlas_still_has_every_type():
    table = programmes(np.random.default_rng(0), LABELS, 50)
    assert len(reference_atlas(np.random.default_rng(1), table, 10).labels) == 3 * CELLS_PER_TYPE


def test_counts_are_raw_and_follow_the_programmes(atlas):
    table, drawn = atlas
    assert drawn.counts.dtype == np.int32
    mzb1 = drawn.counts[:, table.genes.index("MZB1")].toarray().ravel()
    assert mzb1[drawn.labels == "Plasma"].mean() > 10 * mzb1[drawn.labels == "T"].mean()
