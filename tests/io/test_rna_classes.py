"""What the RNA says of every nucleus, by its id."""

import numpy as np
import pandas as pd
import pytest

from slides import two_slides
from sthelar_build.errors import InputError
from sthelar_build.io.rna_classes import read_rna_classes
from sthelar_build.schema.groupings import GROUPINGS


@pytest.fixture
def files(tmp_path):
    return two_slides.write_slide(tmp_path / "skin_s1", "skin_s1")


def test_every_nucleus_has_the_label_of_its_cell(files):
    table = read_rna_classes(files.nuclei, files.labels, GROUPINGS["detailed"])
    assert len(table) == 121
    assert table.cell_id.iloc[[1, 101]].tolist() == ["cell001-1", "cell001-1"]
    assert table.final_label.iloc[1:5].tolist() == list(two_slides.CLASS_NAMES)
    assert table.code.iloc[:5].tolist() == [0, 1, 6, 9, 9]
    assert table.code.dtype == np.uint8


def test_label3_decides_where_the_grouping_says_so(files):
    table = read_rna_classes(files.nuclei, files.labels, GROUPINGS["cancer_normal"])
    assert table.code.iloc[:4].tolist() == [0, 1, 2, 1]


def test_a_cell_without_label_is_told(files):
    labels = pd.read_parquet(files.labels)
    table = read_rna_classes(files.nuclei, files.labels, GROUPINGS["grouped"])
    assert set(table.cell_id.dropna()) == set(labels.cell_id)
    from sthelar_build.io.tables import write_table
    from sthelar_build.schema.tables import LABELS

    write_table(files.labels, labels.iloc[1:], LABELS, two_slides.SOURCE)
    with pytest.raises(InputError, match="found none for cell001-1"):
        read_rna_classes(files.nuclei, files.labels, GROUPINGS["grouped"])
