"""Parts of a folder come together without being copied; tables keep their row groups."""

import pyarrow as pa
import pyarrow.parquet as pq

from sthelar_build.io import gathering
from sthelar_build.io.gathering import gather_files, gather_tables


def test_files_are_linked_and_the_first_of_equal_names_is_taken(tmp_path):
    for folder, name, text in (("a", "x/1", "1"), ("a", "meta", "a"), ("b", "x/2", "2"), ("b", "meta", "b")):  # fmt: skip
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    gather_files([tmp_path / "a", tmp_path / "b"], tmp_path / "all")
    found = {p.relative_to(tmp_path / "all").as_posix(): p.read_text() for p in (tmp_path / "all").rglob("*") if p.is_file()}  # fmt: skip
    assert found == {"x/1": "1", "x/2": "2", "meta": "a"}
    assert (tmp_path / "all/x/1").stat().st_ino == (tmp_path / "a/x/1").stat().st_ino


def test_where_links_are_not_possible_files_are_copied(tmp_path, monkeypatch):
    def none(*_):
        raise OSError

    monkeypatch.setattr(gathering.os, "link", none)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1").write_text("1")
    gather_files([tmp_path / "a"], tmp_path / "all")
    assert (tmp_path / "all" / "1").read_text() == "1"


def test_row_groups_stay_as_they_are_an_empty_table_has_none(tmp_path):
    for name, values in (("a", [1, 2]), ("none", []), ("b", [3])):
        pq.write_table(pa.table({"v": pa.array(values, pa.int64())}), tmp_path / name)
    with pq.ParquetWriter(tmp_path / "all", pa.schema([("v", pa.int64())])) as writer:
        gather_tables([tmp_path / name for name in ("a", "none", "b")], writer)
    assert pq.read_table(tmp_path / "all")["v"].to_pylist() == [1, 2, 3]
