"""Croissant: the rules of version 1.0 are kept, files are found and proved, columns are typed."""

import hashlib
import json
import zipfile

import mlcroissant
import pandas as pd
import pytest

from croissant_rules import flaws
from sthelar_build.io.croissant import file_size, write_croissant

PATCHES = pd.DataFrame(
    {"patch_id": ["a", "b"], "n": [1, 2], "score": [0.5, None], "kept": [True, False]}
)
TYPES = pd.DataFrame({"img": ["a", "b"], "type": ["Skin", "Skin"]})
OWNED = {
    "license": "CC-BY-4.0",
    "url": "https://example.org/d",
    "creator": ["A lab"],
    "datePublished": "2026-11-21",
}


def write(folder, **facts):
    PATCHES.to_csv(folder / "patches.csv", index=False)
    TYPES.to_csv(folder / "types.csv", index=False)
    (folder / "cellvit").mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / "cellvit" / "images.zip", "w") as archive:
        archive.writestr("a.png", b"png")
    facts = {"name": "d", "description": "e", "version": "1.0.0", **facts}
    downloads = {
        "cellvit/images.zip": {"description": "Images.", **file_size(folder / "cellvit/images.zip")}
    }
    missing = write_croissant(
        folder / "croissant.json",
        facts,
        {"patches.csv": PATCHES, "types.csv": TYPES},
        {"patches.csv": "Patches.", "types.csv": "Tissues."},
        {"patches.csv": ["patch_id"], "types.csv": ["img"]},
        downloads,
    )
    return json.loads((folder / "croissant.json").read_text()), missing


def test_a_dataset_whose_owner_is_known_keeps_all_rules(tmp_path):
    record, missing = write(tmp_path, **OWNED)
    assert flaws(record) == missing == []


def test_what_is_not_known_is_left_out_and_told(tmp_path):
    record, missing = write(tmp_path, license="", creator=())
    assert missing == ["license", "url", "creator", "datePublished"]
    assert flaws(record) == [f"no {name}" for name in missing]
    assert flaws(record, published=False) == []


def test_the_rules_see_what_is_wrong(tmp_path):
    record, _ = write(tmp_path, **OWNED)
    record["distribution"][0]["sha256"] = "short"
    record["recordSet"][0]["field"][0]["source"]["fileObject"]["@id"] = "absent.csv"
    record["recordSet"][1]["field"][0]["references"]["field"]["@id"] = "patches/absent"
    assert len(flaws(record)) == 3


def test_an_spdx_id_becomes_a_url_and_a_url_stays(tmp_path):
    assert (
        write(tmp_path, license="CC0-1.0")[0]["license"] == "https://spdx.org/licenses/CC0-1.0.html"
    )
    url = "https://example.org/licence"
    assert write(tmp_path, license=url)[0]["license"] == url


def test_a_file_is_found_by_its_path_and_proved_by_its_checksum(tmp_path):
    record, _ = write(tmp_path)
    files = {one["@id"]: one for one in record["distribution"] if one["@type"] == "cr:FileObject"}
    assert list(files) == ["patches.csv", "types.csv", "cellvit/images.zip"]
    for name, file in files.items():
        content = (tmp_path / file["contentUrl"]).read_bytes()
        assert file["contentSize"] == f"{len(content)} B", name
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
    assert [file["encodingFormat"] for file in files.values()] == [
        "text/csv",
        "text/csv",
        "application/zip",
    ]


def test_every_column_is_a_typed_field_and_a_key_refers_to_the_patches(tmp_path):
    patches, types, images = write(tmp_path)[0]["recordSet"]
    assert patches["key"] == [{"@id": "patches/patch_id"}]
    kinds = {field["name"]: field["dataType"] for field in patches["field"]}
    assert kinds == {
        "patch_id": "sc:Text",
        "n": "sc:Integer",
        "score": "sc:Float",
        "kept": "sc:Boolean",
    }
    assert patches["field"][0]["source"] == {
        "fileObject": {"@id": "patches.csv"},
        "extract": {"column": "patch_id"},
    }
    assert types["field"][0]["references"] == {"field": {"@id": "patches/patch_id"}}
    assert "references" not in types["field"][1]
    assert [field["dataType"] for field in images["field"]] == ["sc:Text", "sc:ImageObject"]
    assert images["field"][0]["references"] == {"field": {"@id": "patches/patch_id"}}


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
def test_the_library_of_croissant_reads_it(tmp_path):
    write(tmp_path, **OWNED)
    dataset = mlcroissant.Dataset(jsonld=str(tmp_path / "croissant.json"))
    assert not dataset.metadata.issues.errors
    rows = list(dataset.records(record_set="types"))
    assert len(rows) == 2
