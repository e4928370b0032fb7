"""Nuclei with their classes and their place."""

import numpy as np
import pandas as pd
import pytest
from shapely import box

from slides.turned_slide import nuclei_frame
from sthelar_build.core.correction import Correction
from sthelar_build.errors import InputError
from sthelar_build.io.placed_nuclei import read_placed_nuclei
from sthelar_build.io.tables import write_table
from sthelar_build.io.transform import Transform, write_transform
from sthelar_build.schema.frames import Affine, Frame
from sthelar_build.schema.tables import LABELS, NUCLEI

HE_TO_MORPHOLOGY = Affine(np.diag([2.0, 2.0, 1.0]), Frame.HE, Frame.MORPHOLOGY)
CORRECTION = Correction(0, 0, 10, np.ones((3, 3, 2)))


def write(folder, raster_label=(4, 2, 9), labelled=("cell0-1", "cell1-1"), correction=None):
    """Two nuclei of cell 0, one of cell 1; a H&E pixel is 0.5 um."""
    shapes = np.array([box(0, 0, 2, 2), box(2, 0, 3, 4), box(5, 5, 6, 6)])
    nuclei = nuclei_frame(shapes).assign(raster_label=list(raster_label))
    labels = pd.DataFrame(
        {
            "cell_id": labelled,
            "final_label": ["Epithelial", "T_NK"][: len(labelled)],
            **dict.fromkeys(("label1", "label2", "label3", "decided_by", "cluster"), "x"),
            "confidence": np.float32(1),
        }
    )
    write_table(folder / "nuclei.parquet", nuclei, NUCLEI, {})
    write_table(folder / "labels.parquet", labels, LABELS, {})
    placed = Transform(HE_TO_MORPHOLOGY, "matrix", 99, 99, 0.25, correction=correction)
    write_transform(folder / "transform.json", placed, {})
    names = ("nuclei.parquet", "labels.parquet", "transform.json")
    return [folder / name for name in names]


def test_two_nuclei_of_one_cell_have_its_class(tmp_path):
    placed = read_placed_nuclei(*write(tmp_path), 1.0)
    assert len(placed) == 3
    assert placed.table.nucleus_id.tolist() == [1, 2, 3]
    assert placed.table.class_index.tolist() == [6, 6, 1]


def test_centres_and_outlines_are_in_pixels_of_the_scale(tmp_path):
    placed = read_placed_nuclei(*write(tmp_path), 2.0)  # a pixel is 1 um
    np.testing.assert_allclose(placed.centres_px, [[1, 1], [2.5, 2], [5.5, 5.5]])
    drawn = placed.outlines()
    assert drawn.nucleus_id.tolist() == [1, 2, 3]
    assert drawn.rank.tolist() == [1, 0, 2]  # of equal ones the lower id is drawn last
    np.testing.assert_allclose(drawn.area_px, [4, 4, 1])
    moved = read_placed_nuclei(*write(tmp_path, correction=CORRECTION), 2.0)
    np.testing.assert_allclose(moved.centres_px[0], [2, 2])


def test_labels_of_the_raster_lead_to_the_nuclei(tmp_path):
    placed = read_placed_nuclei(*write(tmp_path), 2.0)
    labelled = placed.labelled()
    assert labelled.row_of_label[[4, 2, 9, 1, 0]].tolist() == [1, 2, 3, 0, 0]
    np.testing.assert_allclose(labelled.area_px, [4, 4, 1])


def test_the_way_to_the_raster_has_the_correction(tmp_path):
    plain = read_placed_nuclei(*write(tmp_path), 1.0).to_raster()
    bent = read_placed_nuclei(*write(tmp_path, correction=CORRECTION), 1.0).to_raster()
    assert plain.pixels(10, 10, (1, 1))[1].tolist() == [[21]]
    assert bent.pixels(10, 10, (1, 1))[1].tolist() == [[17]]  # 1 um is 4 raster pixels


@pytest.mark.parametrize(
    ("labels", "found"), [((None, 2, 3), "1 without and 0"), ((2, 2, 3), "0 without and 1")]
)
def test_nuclei_that_are_not_those_of_the_raster_are_refused(tmp_path, labels, found):
    placed = read_placed_nuclei(*write(tmp_path, raster_label=labels), 1.0)
    with pytest.raises(InputError, match=f"found {found} repeated.*use rasterise.source: polygons"):
        placed.labelled()


def test_a_nucleus_without_a_label_is_refused(tmp_path):
    with pytest.raises(InputError, match="found none for 1 nuclei, the first of cell cell1-1"):
        read_placed_nuclei(*write(tmp_path, labelled=("cell0-1",)), 1.0)
