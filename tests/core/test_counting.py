import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from shapely import box

from sthelar_build.core.counting import Assigner, ObjectCounts
from sthelar_build.schema.tables import TRANSCRIPTS

GENES = pd.DataFrame({"name": ["A", "B"], "id": ["ENSG1", "ENSG2"]})
CONTROLS = ["negative_control_probe"]
CELLS = pd.DataFrame({"cell_id": ["x", "y"]})
NUCLEI = pd.DataFrame({"cell_id": ["y"], "geometry": [box(0, 0, 1, 1)]})


def batch(*rows):
    columns = zip(*rows, strict=True)
    cell, nuclear, name, category, qv = map(list, columns)
    zeros = np.zeros(len(rows), dtype=np.float32)
    values = {
        "transcript_id": np.arange(len(rows)),
        "cell_id": cell,
        "overlaps_nucleus": nuclear,
        "feature_name": pa.array(name).dictionary_encode(),
        "category": pa.array(category).dictionary_encode(),
        "x_um": zeros,
        "y_um": zeros,
        "z_um": zeros,
        "qv": np.array(qv, dtype=np.float32),
    }
    table = pa.table(values).cast(TRANSCRIPTS)
    return table.to_batches()[0]


@pytest.fixture
def assign():
    return Assigner(GENES, CONTROLS, CELLS, NUCLEI, min_qv=20)


def test_every_transcript_gets_its_rows_and_columns(assign):
    found = assign(
        batch(
            ("y", True, "B", "gene", 20),
            ("x", False, "A", "gene", 40),
            (None, False, "A", "gene", 40),
            ("y", True, "NegControlProbe_1", "negative_control_probe", 40),
        )
    )
    assert found.cell_rows.tolist() == [1, 0, -1, 1]
    assert found.nucleus_rows.tolist() == [0, -1, -1, 0]
    assert found.gene_columns.tolist() == [1, 0, 0, -1]
    assert found.control_columns.tolist() == [-1, -1, -1, 0]


def test_low_quality_unknown_cells_and_unknown_features_do_not_count(assign):
    found = assign(
        batch(
            ("y", True, "B", "gene", 19.9),
            ("stranger", True, "A", "gene", 40),
            ("y", True, "C", "gene", 40),
            ("y", True, "A", "unassigned_codeword", 40),
        )
    )
    assert found.cell_rows.tolist() == [-1, 1, 1]
    assert found.gene_columns.tolist() == [0, -1, -1]
    assert found.control_columns.tolist() == [-1, -1, -1]


def test_the_tally_adds_up(assign):
    assign(batch(("y", True, "B", "gene", 10), ("y", True, "B", "gene", 30)))
    assign(batch(("x", True, "A", "gene", 30), (None, False, "A", "gene", 30)))
    tally = assign.tally
    assert (tally.all, tally.good, tally.genes) == (4, 3, 3)
    assert (tally.in_cells, tally.in_nuclei, tally.without_outline) == (2, 1, 1)


def test_the_table_holds_genes_in_x_and_controls_in_obs(assign):
    counts = ObjectCounts(2, 2, 1)
    for _ in range(2):
        assigned = assign(
            batch(
                ("y", True, "B", "gene", 30),
                ("y", True, "B", "gene", 30),
                ("x", True, "NegControlProbe_1", "negative_control_probe", 30),
            )
        )
        counts.add(assigned.cell_rows, assigned)
    obs = pd.DataFrame({"x_um": [1.0, 2.0], "y_um": [3.0, 4.0]}, index=["x", "y"])
    table = counts.table(obs, GENES, CONTROLS)
    assert table.X.toarray().tolist() == [[0, 0], [0, 4]]
    assert table.obs["transcript_counts"].tolist() == [0, 4]
    assert table.obs["negative_control_probe_counts"].tolist() == [2, 0]
    assert table.obsm["spatial"].tolist() == [[1, 3], [2, 4]]
    assert table.var["gene_id"].tolist() == ["ENSG1", "ENSG2"]
