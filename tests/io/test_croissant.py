"""Croissant: files with checksums, one field per column, typed."""

import hashlib
import json

import pandas as pd

from sthelar_build.io.croissant import write_croissant

TABLE = pd.DataFrame({"image": ["a", "b"], "n": [1, 2], "score": [0.5, None]})


def write(folder, **facts):
    TABLE.to_csv(folder / "scores.csv", index=False)
    about = {"scores.csv": "Scores."}
    facts = {"name": "d", "description": "e", "version": "1", "license": "", **facts}
    tables, keys = {"scores.csv": TABLE}, {"scores.csv": ["image"]}
    write_croissant(folder / "croissant.json", facts, tables, about, keys)
    return json.loads((folder / "croissant.json").read_text())


def test_a_file_is_found_by_its_name_and_proved_by_its_checksum(tmp_path):
    (file,) = write(tmp_path)["distribution"]
    content = (tmp_path / "scores.csv").read_bytes()
    assert file["contentUrl"] == "scores.csv"
    assert file["encodingFormat"] == "text/csv"
    assert file["contentSize"] == f"{len(content)} B"
    assert file["sha256"] == hashlib.sha256(content).hexdigest()


def test_every_column_is_a_typed_field_that_is_extracted_from_the_file(tmp_path):
    (records,) = write(tmp_path)["recordSet"]
    assert records["key"] == [{"@id": "scores/image"}]
    kinds = {field["name"]: field["dataType"] for field in records["field"]}
    assert kinds == {"image": "sc:Text", "n": "sc:Integer", "score": "sc:Float"}
    assert records["field"][0]["source"] == {
        "fileObject": {"@id": "scores.csv"},
        "extract": {"column": "image"},
    }


def test_facts_that_are_not_known_are_left_out(tmp_path):
    record = write(tmp_path, url="https://example.org/d")
    assert "license" not in record
    assert record["url"] == "https://example.org/d"
    assert record["@context"]["cr"] == "http://mlcommons.org/croissant/"
