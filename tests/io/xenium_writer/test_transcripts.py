import numpy as np
import pyarrow.parquet as pq
import pytest

from slides.five_cells import SHAPE_PX, copy_of_bundle, five_cells
from sthelar_build.core.simulation.mosaic import Mosaic
from sthelar_build.core.simulation.mosaic_image import Place
from sthelar_build.core.simulation.slide import PIXEL_SIZE_UM
from sthelar_build.core.simulation.versions import traits_of
from sthelar_build.io.xenium_writer import transcripts as transcript_writer
from sthelar_build.io.xenium_writer.transcripts import write_transcripts


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
    monkeypatch.setattr(transcript_writer, "_ROWS_PER_GROUP", 250)
    path = tmp_path / "transcripts.parquet"
    write_transcripts(path, Mosaic.of(five_cells()), traits_of("3.0.0"))
    assert pq.read_metadata(path).num_row_groups == 3


def test_a_transcript_in_a_nucleus_is_at_distance_zero(tmp_path):
    table = pq.read_table(
        copy_of_bundle(tmp_path / "outs", "3.0.0").path("transcripts.parquet")
    ).to_pandas()
    at_zero = table["nucleus_distance"] == 0
    np.testing.assert_array_equal(at_zero, table["overlaps_nucleus"].astype(bool))


def test_a_mosaic_has_the_transcripts_of_its_parts_one_after_the_other(tmp_path):
    block = five_cells()
    mosaic = Mosaic((block,), ((Place(0, False, False), Place(0, True, False)),))
    write_transcripts(tmp_path / "transcripts.parquet", mosaic, traits_of("3.0.0"))
    table = pq.read_table(tmp_path / "transcripts.parquet").to_pandas()
    first, second = table[:600], table[600:].reset_index(drop=True)
    width_um = SHAPE_PX[1] * PIXEL_SIZE_UM
    there_um = first["x_location"] + second["x_location"]
    assert there_um.to_numpy() == pytest.approx(2 * width_um, abs=1e-4)
    assert second["feature_name"].tolist() == first["feature_name"].tolist()
    assert second["nucleus_distance"].tolist() == first["nucleus_distance"].tolist()
    assert table["transcript_id"].is_unique
