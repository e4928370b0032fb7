"""Transcripts come some at a time, and damage is told."""

import pyarrow as pa
import pytest

from slides.molecules import write_molecules
from sthelar_build.errors import InputError
from sthelar_build.io import transcripts
from sthelar_build.io.transcripts import transcript_batches


def test_all_come_in_order_with_the_columns_that_are_asked_for(tmp_path, monkeypatch):
    path = write_molecules(tmp_path / "transcripts.parquet", [[1, 2], [3, 4], [5, 6]])
    monkeypatch.setattr(transcripts, "ROWS_AT_A_TIME", 2)
    batches = list(transcript_batches(path, ["y_um", "x_um"]))
    assert [batch.num_rows for batch in batches] == [2, 1]
    assert transcripts.count_batches(path) == 2
    assert pa.Table.from_batches(batches).to_pydict() == {"y_um": [2, 4, 6], "x_um": [1, 3, 5]}


def test_words_stay_dictionaries(tmp_path):
    path = write_molecules(tmp_path / "transcripts.parquet", [[1, 2]])
    (batch,) = transcript_batches(path, ["feature_name", "category"])
    assert all(pa.types.is_dictionary(kind) for kind in batch.schema.types)


def test_damage_is_told(tmp_path):
    path = write_molecules(tmp_path / "transcripts.parquet", [[i, i] for i in range(1000)])
    content = bytearray(path.read_bytes())
    content[4:400] = b"\xff" * 396
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"transcripts\.parquet: expected whole parquet pages"):
        list(transcript_batches(path, ["transcript_id"]))
