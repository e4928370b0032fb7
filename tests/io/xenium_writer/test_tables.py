import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slides.five_cells import NO_NUCLEUS, copy_of_bundle, five_cells
from sthelar_build.io.xenium_writer.tables import matrix_of

TEXT_ERAS = {"1.0.2": pa.int32(), "1.9.0": pa.binary(), "3.0.0": pa.string()}


@pytest.mark.parametrize("version", TEXT_ERAS)
def test_cell_ids_are_stored_as_the_version_stores_them(tmp_path, version):
    bundle = copy_of_bundle(tmp_path / "outs", version)
    transcripts = pq.read_table(bundle.path("transcripts.parquet"))
    assert transcripts.schema.field("cell_id").type == TEXT_ERAS[version]
    unassigned = {"1.0.2": -1, "1.9.0": b"UNASSIGNED", "3.0.0": "UNASSIGNED"}[version]
    assert unassigned in transcripts["cell_id"].to_pylist()


def test_the_matrix_leaves_out_low_quality_and_unassigned_transcripts():
    slide = five_cells()
    t = slide.transcripts
    assert matrix_of(slide).sum() == ((t["qv"] >= 20) & (t["cell_row"] >= 0)).sum()


def test_the_cells_table_agrees_with_the_matrix(tmp_path):
    bundle = copy_of_bundle(tmp_path / "outs", "3.0.0")
    cells = pq.read_table(bundle.path("cells.parquet")).to_pandas()
    matrix = matrix_of(five_cells()).toarray()
    np.testing.assert_array_equal(cells["transcript_counts"], matrix[:, :3].sum(axis=1))
    np.testing.assert_array_equal(cells["genomic_control_counts"], matrix[:, 7])
    np.testing.assert_array_equal(cells["total_counts"], matrix.sum(axis=1))
    assert cells["nucleus_count"].tolist() == [2, 1, 0, 1, 1]
    assert np.isnan(cells["nucleus_area"][NO_NUCLEUS])


def test_the_csv_twin_says_the_same_in_text(tmp_path):
    bundle = copy_of_bundle(tmp_path / "outs", "1.9.0")
    with gzip.open(bundle.path("cells.csv.gz")) as file:
        twin = pd.read_csv(file)
    table = pq.read_table(bundle.path("cells.parquet")).to_pandas()
    assert twin["cell_id"].tolist() == [name.decode() for name in table["cell_id"]]
    np.testing.assert_allclose(twin["cell_area"], table["cell_area"])
