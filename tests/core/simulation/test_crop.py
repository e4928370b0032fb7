import numpy as np
import pandas as pd
import pytest
from shapely import Point, box

from sthelar_build.core.simulation.crop import HARD_ID, cell_table, nucleus_table, scanned
from sthelar_build.core.simulation.nuclei import with_hole
from sthelar_build.core.simulation.population import Population


@pytest.fixture
def population():
    """Five cells: inside, cut by the right border, outside, without nucleus, touching by a sliver."""
    centres = np.array([[10.0, 10.0], [30.0, 10.0], [60.0, 10.0], [20.0, 25.0], [33.9, 30.0]])
    cells = pd.DataFrame(centres, columns=["x_um", "y_um"])
    cells["fine_label"] = ["B", "mammary_luminal", "T", "NK", "T"]
    cells["class_name"] = ["B_Plasma", "Epithelial", "T_NK", "T_NK", "T_NK"]
    cells["niche"] = "tumour"
    cells["mixed_with"] = None
    cells["low_count"] = False
    cells["vacuole"] = -1
    cells["has_nucleus"] = [True, True, True, False, True]
    outlines = np.array([Point(p).buffer(5) for p in centres], dtype=object)
    owner = np.array([0, 1, 2, 4])
    nuclei = np.array([Point(p).buffer(4) for p in centres[owner]], dtype=object)
    nuclei[0] = with_hole(np.random.default_rng(0), nuclei[0])
    vertices = np.zeros((4, 28, 2))
    return Population(cells, outlines, nuclei, vertices, owner, np.zeros(4, dtype=bool))


def test_the_region_keeps_what_it_shows_and_cuts_at_its_border(population):
    scan = scanned(population, 30, 40)
    assert scan.cell_rows.tolist() == [0, 3, 1]
    assert scan.owner.tolist() == [0, 2]
    assert scan.nuclei[1].area == pytest.approx(population.nuclei[1].area / 2, rel=0.01)
    assert all(box(0, 0, 30, 40).buffer(1e-5).contains(shape) for shape in scan.outlines)


def test_tables_keep_labels_and_show_a_hole_as_one_ring(population):
    scan = scanned(population, 30, 40)
    cells = cell_table(np.random.default_rng(0), population, scan, suffix=1, v1=False)
    assert cells["fine_label"].tolist() == ["B", "NK", "mammary_luminal"]
    assert cells["label3"].tolist() == ["normal_cell", "normal_cell", "cancer_cell"]
    assert "interior stain" in cells["segmentation_method"][1]
    assert HARD_ID in set(zip(cells["prefix"], cells["suffix"], strict=True))
    nuclei = nucleus_table(np.random.default_rng(0), population, scan)
    assert nuclei["cell_row"].tolist() == [0, 2]
    assert len(nuclei.geometry[0].interiors) == 1
    assert nuclei["ring"][0][0] == nuclei["ring"][0][-1]
