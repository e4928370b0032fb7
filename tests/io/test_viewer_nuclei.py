"""Nuclei for the viewer, from the tables of a slide; what the files hold is tested with the stage."""

import numpy as np
import pytest

from slides import three_cells
from sthelar_build.core.nucleus_blocks import NO_CLUSTER
from sthelar_build.io.provenance import provenance
from sthelar_build.io.tables import read_table, write_table
from sthelar_build.io.transform import read_transform
from sthelar_build.io.viewer_nuclei import read_viewer_nuclei, write_viewer_nuclei
from sthelar_build.schema.tables import LABELS, NUCLEI
from sthelar_build.settings.outline import OutlineSettings


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return three_cells.build(tmp_path_factory.mktemp("nuclei"))


def test_nuclei_take_the_label_of_their_cell(files):
    placed = read_transform(files["transform"])
    found = read_viewer_nuclei(files["nuclei"], files["labels"], placed)
    labels = read_table(files["labels"], LABELS).set_index("cell_id")
    assert found.table.cell_id.tolist() == list(three_cells.OWNERS)
    fine = [found.words["label2"][number] for number in found.table.fine]
    assert fine == labels.label2[list(three_cells.OWNERS)].tolist()
    assert (found.outlines.n_corners == 4).all()
    assert found.n_off_image == 0


def test_what_is_off_the_image_is_counted_and_left_out(files, tmp_path):
    nuclei = read_table(files["nuclei"], NUCLEI)
    nuclei.loc[0, "x_um"] = -500.0
    write_table(tmp_path / "nuclei.parquet", nuclei, NUCLEI, provenance("test"))
    placed = read_transform(files["transform"])
    found = read_viewer_nuclei(tmp_path / "nuclei.parquet", files["labels"], placed)
    assert found.table.cell_id.tolist() == list(three_cells.OWNERS[1:])
    assert found.n_off_image == 1
    assert len(found.outlines.n_corners) == 2


def test_no_cluster_has_a_number_of_its_own(files, tmp_path):
    labels = read_table(files["labels"], LABELS)
    labels["cluster"] = None
    write_table(tmp_path / "labels.parquet", labels, LABELS, provenance("test"))
    placed = read_transform(files["transform"])
    found = read_viewer_nuclei(files["nuclei"], tmp_path / "labels.parquet", placed)
    assert np.unique(found.table.cluster).tolist() == [NO_CLUSTER]
    facts = write_viewer_nuclei(tmp_path, found, placed, OutlineSettings())
    assert facts["cluster"] == []
    assert facts["blocks"] == {"0_0": 3}
    assert sorted(path.name for path in tmp_path.glob("*.js")) == ["0_0.js", "overview.js"]
