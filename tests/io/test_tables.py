"""Parquet round trips, and tables that do not fit."""

import geopandas
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from shapely import box

from sthelar_build.errors import InputError
from sthelar_build.io import tables
from sthelar_build.io.tables import (
    check_table,
    count_geometries,
    geometry_batches,
    open_stream,
    read_attributes,
    read_provenance,
    read_table,
    write_table,
)
from sthelar_build.schema.tables import CELLS, METRICS, NUCLEI


def nuclei():
    return geopandas.GeoDataFrame(
        {
            "nucleus_id": [1],
            "cell_id": ["ffkpbaba-1"],
            "x_um": [0.5],
            "y_um": [0.5],
            "area_um2": [1.0],
            "repaired": [False],
            "raster_label": [1],
        },
        geometry=[box(0, 0, 1, 1)],
    )


def test_geometry_survives_and_geopandas_reads_it_by_itself(tmp_path):
    path = tmp_path / "nuclei.parquet"
    write_table(path, nuclei(), NUCLEI, {"stage": "ingest"}, {"frame": "um"})
    assert read_table(path, NUCLEI).geometry[0].equals(box(0, 0, 1, 1))
    assert geopandas.read_parquet(path).geometry[0].equals(box(0, 0, 1, 1))
    assert read_attributes(path) == {"frame": "um"}
    assert read_provenance(path) == {"stage": "ingest"}


def test_geometries_come_in_batches_in_their_order(tmp_path):
    path = tmp_path / "nuclei.parquet"
    frame = pd.concat([nuclei()] * 5, ignore_index=True)
    frame["geometry"] = [box(0, 0, side, 1) for side in range(1, 6)]
    write_table(path, frame, NUCLEI, {})
    batches = list(geometry_batches(path, 2))
    assert [len(batch) for batch in batches] == [2, 2, 1]
    assert [shape.area for batch in batches for shape in batch] == [1, 2, 3, 4, 5]


def test_cells_without_an_outline_are_counted_and_keep_their_place(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "_SHAPES_AT_A_TIME", 2)
    frame = pd.DataFrame(
        {
            "cell_id": list("abcde"),
            "cell_number": range(1, 6),
            "x_um": 0.0,
            "y_um": 0.0,
            "area_um2": None,
            "nucleus_area_um2": None,
            "nucleus_count": 0,
            "segmentation_method": None,
            "repaired": False,
            "geometry": [None, box(0, 0, 2, 1), None, box(0, 0, 4, 1), box(0, 0, 5, 1)],
        }
    )
    path = tmp_path / "cells.parquet"
    write_table(path, frame, CELLS, {})
    assert count_geometries(path) == (5, 3)
    found = read_table(path, CELLS)
    assert list(found.columns) == CELLS.names
    assert found.geometry.area.fillna(0).tolist() == [0, 2, 0, 4, 5]


def test_missing_metrics_stay_null(tmp_path):
    path = tmp_path / "metrics.parquet"
    frame = pd.DataFrame(
        {"patch_id": [0], "Dice": [None], "Jaccard": [None], "bPQ": [None], "n_true": [0], "n_predicted": [0],
         "reason": ["no_nucleus"]}
    )  # fmt: skip
    write_table(path, frame, METRICS, {})
    assert read_table(path, METRICS)["Dice"].isna().all()


def test_some_columns_can_be_read_alone(tmp_path):
    path = tmp_path / "nuclei.parquet"
    write_table(path, nuclei(), NUCLEI, {})
    assert list(read_table(path, NUCLEI, ["cell_id"]).columns) == ["cell_id"]


def test_another_table_is_refused_with_the_columns_that_differ(tmp_path):
    path = tmp_path / "nuclei.parquet"
    write_table(path, nuclei(), NUCLEI, {})
    with pytest.raises(InputError, match=r"missing columns \['patch_id'"):
        check_table(path, METRICS)


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more"])
def test_a_truncated_file_is_refused(tmp_path, content):
    path = tmp_path / "broken.parquet"
    path.write_bytes(content)
    with pytest.raises(InputError, match="broken or truncated"):
        read_table(path, NUCLEI)


def test_an_absent_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="found nothing"):
        read_table(tmp_path / "absent.parquet", NUCLEI)


def test_words_are_listed_once_and_numbers_never(tmp_path):
    path = tmp_path / "nuclei.parquet"
    write_table(path, nuclei(), NUCLEI, {})
    group = pq.read_metadata(path).row_group(0)
    listed = {
        chunk.path_in_schema
        for chunk in map(group.column, range(group.num_columns))
        if chunk.has_dictionary_page
    }
    assert listed == {"cell_id"}


def test_a_stream_keeps_words_as_numbers_where_it_is_asked_to(tmp_path):
    path = tmp_path / "nuclei.parquet"
    write_table(path, nuclei(), NUCLEI, {})
    with open_stream(path, ["cell_id"]) as file:
        batch = next(file.iter_batches(columns=["cell_id"]))
    assert pa.types.is_dictionary(batch["cell_id"].type)
    assert batch["cell_id"].to_pylist() == nuclei()["cell_id"].tolist()
