import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slides.five_cells import NO_NUCLEUS, copy_of_bundle, five_cells
from sthelar_build.core.simulation.mosaic import Mosaic
from sthelar_build.core.simulation.versions import traits_of
from sthelar_build.io.xenium_writer import tables as xenium_table_writer
from sthelar_build.io.xenium_writer.tables import matrix_of, write_transcripts

TEXT_ERAS = {"1.0.2": pa.int32(), "1.9.0": pa.binary(), "3.0.0": pa.string()}


@pytest.mark.parametrize("version", TEXT_ERAS)
def test_cell_ids_are_stored_as_the_version_stores_them(tmp_path, version):
    bundle = copy_of_bundle(tmp_path / "outs", version)
    transcripts = pq.read_table(bundle.path("transcripts.parquet"))
    assert transcripts.schema.field("cell_id").type == TEXT_ERAS[version]
    unassigned = {"1.0.2": -1, "1.9.0": b"UNASSIGNED", "3.0.0": "UNASSIGNED"}[version]
    assert unassigned in transcripts["cell_id"].to_pylist()


@pytest.mark.parametrize(
    ("version", "first", "later"),
    [
        ("1.0.2", "qv", set()),
        ("1.9.0", "qv", {"fov_name", "nucleus_distance"}),
        ("2.0.0", "qv", {"fov_name", "nucleus_distance", "codeword_index"}),
        (
            "3.0.0",
            "qv",
            {"fov_name", "nucleus_distance", "codeword_index", "codeword_category", "is_gene"},
        ),
    ],
)
def test_transcripts_have_the_columns_of_their_version(tmp_path, version, first, later):
    names = pq.read_schema(
        copy_of_bundle(tmp_path / "outs", version).path("transcripts.parquet")
    ).names
    assert set(names[names.index(first) + 1 :]) == later


def test_transcripts_come_in_several_row_groups(tmp_path, monkeypatch):
    monkeypatch.setattr(xenium_table_writer, "_ROWS_PER_GROUP", 250)
    path = tmp_path / "transcripts.parquet"
    write_transcripts(path, Mosaic.of(five_cells()), traits_of("3.0.0"))
    assert pq.read_metadata(path).num_row_groups == 3


def test_a_transcript_in_a_nucleus_is_at_distance_zero(tmp_path):
    table = pq.read_table(
        copy_of_bundle(tmp_path / "outs", "3.0.0").path("transcripts.parquet")
    ).to_pandas()
    at_zero = table["nucleus_distance"] == 0
    np.testing.assert_array_equal(at_zero, table["overlaps_nucleus"].astype(bool))


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
