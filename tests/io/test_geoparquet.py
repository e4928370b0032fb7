"""Outlines that geopandas reads back as they were."""

import geopandas
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from shapely import Point, box

from sthelar_build.io.geoparquet import opens, write_outlines

LIKE = pa.schema([("cell_id", pa.string()), ("class", pa.string()), ("geometry", pa.binary())])


def part(*names):
    shapes = [box(n, 0, n + 1, 2) for n in range(len(names))]
    columns = {"cell_id": names, "class": "T_NK", "geometry": shapes, "more": 1}
    return pd.DataFrame(columns)


def test_parts_become_one_table_by_cell_that_geopandas_reads(tmp_path):
    write_outlines(tmp_path / "a.parquet", iter([part("a", "b"), part("c")]), "cell_id", LIKE)
    found = geopandas.read_parquet(tmp_path / "a.parquet")
    assert found.index.name == "cell_id"
    assert found.index.tolist() == ["a", "b", "c"]
    assert found.columns.tolist() == ["class", "geometry"]
    assert found.crs is None
    assert found.geometry["b"].equals(box(1, 0, 2, 2))
    assert pq.ParquetFile(tmp_path / "a.parquet").num_row_groups == 2


def test_no_parts_are_an_empty_table(tmp_path):
    write_outlines(tmp_path / "a.parquet", [], "cell_id", LIKE)
    assert len(geopandas.read_parquet(tmp_path / "a.parquet")) == 0


def test_a_file_opens_by_the_index_that_it_has(tmp_path):
    write_outlines(tmp_path / "a.parquet", [part("a", "b")], "cell_id", LIKE)
    write_outlines(tmp_path / "b.parquet", [], "cell_id", LIKE)
    write_outlines(tmp_path / "c.parquet", [part("a", "b")], "class", LIKE)
    opened = [opens(tmp_path / name, "cell_id") for name in ("a.parquet", "b.parquet", "c.parquet")]
    assert opened == [True, True, False]


def test_two_runs_are_equal_byte_for_byte(tmp_path):
    for name in "ab":
        write_outlines(tmp_path / name, [part("a", "b")], "cell_id", LIKE)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_part_without_a_column_is_refused(tmp_path):
    wrong = part("a").drop(columns="class").assign(geometry=[Point(0, 0)])
    with pytest.raises(KeyError):
        write_outlines(tmp_path / "a", [wrong], "cell_id", LIKE)
