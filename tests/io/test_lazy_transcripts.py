import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from sthelar_build.io import lazy_transcripts as module
from sthelar_build.io.lazy_transcripts import lazy_transcripts
from sthelar_build.io.provenance import provenance
from sthelar_build.io.tables import table_writer
from sthelar_build.schema.tables import TRANSCRIPTS


@pytest.fixture
def transcripts(tmp_path):
    """Three row groups of two; the first cell ids are all null, and each group has genes of its own."""
    path = tmp_path / "transcripts.parquet"
    with table_writer(path, TRANSCRIPTS, provenance("test")) as writer:
        for group, genes in enumerate((["B", "A"], ["C", "C"], ["A", "D"])):
            frame = pd.DataFrame(
                {
                    "transcript_id": np.arange(2, dtype=np.uint64) + 2 * group,
                    "cell_id": [None, None] if group == 0 else ["a-1", None],
                    "overlaps_nucleus": True,
                    "feature_name": pd.Categorical(genes),
                    "category": pd.Categorical(["gene", "gene"]),
                    **{name: np.float32([group, 1]) for name in ("x_um", "y_um", "z_um", "qv")},
                }
            )
            writer.write_table(pa.Table.from_pandas(frame, TRANSCRIPTS, preserve_index=False))
    return path


def test_partitions_are_runs_of_row_groups_that_share_their_categories(transcripts, monkeypatch):
    monkeypatch.setattr(module, "_ROWS_PER_PARTITION", 4)
    table = lazy_transcripts(transcripts)
    assert table.npartitions == 2
    assert table.divisions == (0, 4, 5)
    parts = [table.get_partition(i).compute() for i in range(2)]
    assert [part["feature_name"].tolist() for part in parts] == [["B", "A", "C", "C"], ["A", "D"]]
    for part in parts:
        assert part["feature_name"].cat.categories.tolist() == ["A", "B", "C", "D"]


def test_rows_are_numbered_through_and_coordinates_renamed(transcripts):
    table = lazy_transcripts(transcripts).compute()
    assert table.index.tolist() == [0, 1, 2, 3, 4, 5]
    assert table["x"].tolist() == [0, 1, 1, 1, 2, 1]
    assert table["cell_id"].isna().tolist() == [True, True, False, True, False, True]
    assert table["transcript_id"].dtype == np.uint64
