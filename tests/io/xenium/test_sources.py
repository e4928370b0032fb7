import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sthelar_build.errors import InputError
from sthelar_build.io.xenium import sources
from sthelar_build.io.xenium.sources import (
    check_columns,
    column_names,
    count_rows,
    find_table,
    has_integers,
    read_batches,
    read_columns,
)

TEXT = b'"cell_id","vertex_x","label_id"\n' + b"".join(
    b'"aaaaaaa%c-1",%.1f,%d\n' % (97 + i, i / 2, i) for i in range(7)
)


def packed(path):
    path.write_bytes(gzip.compress(TEXT))
    return path


def plain(path):
    path.with_suffix("").write_bytes(TEXT)
    return path.with_suffix("")


def parquet(path):
    path = path.with_name("t.parquet")
    labels = pa.array(range(7), pa.int64())
    ids = [f"aaaaaaa{c}-1" for c in "abcdefg"]
    x = pa.array([i / 2 for i in range(7)], pa.float32())
    pq.write_table(pa.table({"cell_id": ids, "vertex_x": x, "label_id": labels}), path)
    return path


@pytest.fixture(params=[packed, plain, parquet], ids=["csv.gz", "csv", "parquet"])
def table(request, tmp_path):
    return request.param(tmp_path / "t.csv.gz")


def test_a_table_is_the_same_in_every_form(table):
    assert column_names(table) == ["cell_id", "vertex_x", "label_id"]
    assert count_rows(table) == 7
    read = read_columns(table, ["vertex_x", "cell_id"])
    assert read.schema.types == [pa.float32(), pa.string()]
    assert read["vertex_x"].to_pylist() == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    assert read["cell_id"].to_pylist()[1] == "aaaaaaab-1"
    assert find_table(table.parent, "t.parquet") == table


def test_batches_have_the_size_that_is_asked_for(table, monkeypatch):
    monkeypatch.setattr(sources, "_BLOCK_BYTES", 64)
    batches = list(read_batches(table, ["label_id"], 3))
    assert [batch["label_id"].to_pylist() for batch in batches] == [[0, 1, 2], [3, 4, 5], [6]]


def test_words_that_come_as_numbers_are_joined_over_row_groups(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"cell_id": ["a", "b", "c", "a", "d"]}), path, row_group_size=2)
    batches = list(read_batches(path, ["cell_id"], 3, ["cell_id", "feature_name"]))
    assert [batch["cell_id"].to_pylist() for batch in batches] == [["a", "b", "c"], ["a", "d"]]
    assert all(pa.types.is_dictionary(batch["cell_id"].type) for batch in batches)
    assert all(batch["cell_id"].num_chunks == 1 for batch in batches)


def test_a_csv_is_a_stream_its_first_rows_come_before_its_end_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "_BLOCK_BYTES", 2**12)
    path = tmp_path / "t.csv.gz"
    rows = b"".join(b"%d\n" % i for i in range(200_000))
    path.write_bytes(gzip.compress(b"label_id\n" + rows)[:-5000])
    batches = read_batches(path, ["label_id"], 1000)
    assert next(batches)["label_id"].to_pylist() == list(range(1000))
    with pytest.raises(InputError, match="damage"):
        list(batches)


def test_parquet_comes_before_csv(tmp_path):
    packed(tmp_path / "t.csv.gz")
    assert find_table(tmp_path, "t.parquet").name == "t.csv.gz"
    parquet(tmp_path / "t.csv.gz")
    assert find_table(tmp_path, "t.parquet").name == "t.parquet"
    assert find_table(tmp_path, "u.parquet") is None


@pytest.mark.parametrize(
    ("ids", "expected"),
    [("1\n2\n", True), ("-1\n", True), ("aaaaaaab-1\n", False), ("", False)],
)
def test_the_ids_of_a_csv_are_numbers_if_the_first_one_is(tmp_path, ids, expected):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"cell_id\n" + ids.encode()))
    assert has_integers(path, "cell_id") is expected


def test_a_column_that_looks_like_numbers_at_first_is_still_text(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "_BLOCK_BYTES", 32)
    path = tmp_path / "t.csv"
    path.write_bytes(b"feature_name\n" + b"7\n" * 50 + b"NA\nEPCAM\n")
    assert read_columns(path, ["feature_name"])["feature_name"].to_pylist()[-3:] == [
        "7",
        "NA",
        "EPCAM",
    ]


def test_a_csv_without_an_end_of_line_counts_its_last_row(tmp_path):
    path = tmp_path / "t.csv"
    for text, expected in ((b"", 0), (b"qv\n", 0), (b"qv", 0), (b"qv\n20", 1), (b"qv\n20\n", 1)):
        path.write_bytes(text)
        assert count_rows(path) == expected


def test_a_missing_column_is_named_with_those_found(table):
    with pytest.raises(InputError, match=r"found no qv among cell_id, vertex_x, label_id"):
        check_columns(table, ("cell_id", "qv"))


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-9], lambda data: b"junk" + data], ids=["cut", "junk"]
)
@pytest.mark.parametrize(
    "read", [count_rows, lambda p: read_columns(p, ["cell_id"])], ids=["count", "read"]
)
def test_a_packed_csv_that_is_damaged_is_refused_in_one_line(tmp_path, damage, read):
    path = packed(tmp_path / "t.csv.gz")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=r"t\.csv\.gz: expected whole csv, found damage") as error:
        read(path)
    assert "\n" not in str(error.value)


def test_a_value_that_is_no_number_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"vertex_x\n1.5\nfar\n")
    with pytest.raises(InputError, match=r"found damage \(.*far"):
        read_columns(path, ["vertex_x"])


@pytest.mark.parametrize("part", ["end", "middle"])
def test_a_parquet_file_that_lacks_a_part_is_refused(tmp_path, part):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": np.random.default_rng(0).random(10_000)}), path)
    check_columns(path, ("a",))
    data = path.read_bytes()
    path.write_bytes(data[:-100] if part == "end" else data[:5000] + data[15_000:])
    with pytest.raises(InputError, match="copy"):
        check_columns(path, ("a",))
