"""The nuclei of a slide as the registration looks at them."""

import numpy as np
import pytest
from shapely import MultiPolygon, box

from slides.turned_slide import nuclei_frame
from sthelar_build.core.registration import Window
from sthelar_build.errors import InputError
from sthelar_build.io.nucleus_maps import read_nucleus_map
from sthelar_build.io.tables import write_table
from sthelar_build.schema.tables import NUCLEI

SHAPES = np.array(
    [box(0, 0, 2, 2), MultiPolygon([box(4, 0, 5, 1), box(6, 0, 7, 1)]), box(50, 50, 52, 54)]
)


def test_places_areas_and_outlines_are_those_of_the_table(tmp_path):
    write_table(tmp_path / "nuclei.parquet", nuclei_frame(SHAPES), NUCLEI, {})
    found = read_nucleus_map(tmp_path / "nuclei.parquet")
    assert found.points_um.tolist() == [[1, 1], [5.5, 0.5], [51, 52]]
    assert found.areas_um2.tolist() == [4, 2, 8]
    assert found.drawn(Window(0, 0, 1, (2, 8))).tolist() == [
        [1, 1, 0, 0, 1, 0, 1, 0],
        [1, 1, 0, 0, 0, 0, 0, 0],
    ]


def test_a_table_without_nuclei_is_refused(tmp_path):
    write_table(tmp_path / "nuclei.parquet", nuclei_frame(SHAPES).iloc[:0], NUCLEI, {})
    with pytest.raises(InputError, match="at least one nucleus, found none"):
        read_nucleus_map(tmp_path / "nuclei.parquet")
