"""The same work gives the same provenance."""

import hashlib
import json

from sthelar_build.io.provenance import checksum, checksums, provenance, provenance_json
from sthelar_build.settings.tile import TileSettings


def test_settings_revision_and_checksums_are_recorded(tmp_path):
    he = tmp_path / "he.tif"
    he.write_bytes(b"pixels")
    settings = TileSettings(side_px=128)
    source = provenance("tile", settings, {"he": he})
    assert source["stage"] == "tile"
    assert source["revision"] == settings.revision
    assert source["settings"]["side_px"] == 128
    assert "revision" not in source["settings"]
    assert source["inputs"]["he"] == {
        "file": "he.tif",
        "bytes": 6,
        "sha256": hashlib.sha256(b"pixels").hexdigest(),
    }


def test_it_is_the_same_json_twice(tmp_path):
    he = tmp_path / "he.tif"
    he.write_bytes(b"pixels")
    texts = {provenance_json(provenance("tile", TileSettings(), {"he": he})) for _ in range(2)}
    assert len(texts) == 1
    assert json.loads(texts.pop())["label_schema"] == 1


def test_a_changed_file_has_another_checksum(tmp_path):
    he = tmp_path / "he.tif"
    he.write_bytes(b"a")
    first = checksum(he)
    he.write_bytes(b"bb")
    assert checksum(he) != first


def test_a_large_file_is_sampled_and_says_so(tmp_path):
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(300 * 2**20)
    found = checksum(large)
    assert found["sampled"]
    assert found["bytes"] == 300 * 2**20


def test_a_folder_is_known_by_every_file_in_it(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c.txt").write_bytes(b"cc")
    (tmp_path / "a.txt").write_bytes(b"")
    found = checksums(tmp_path)
    assert list(found) == ["a.txt", "b/c.txt"]
    assert found["b/c.txt"]["bytes"] == 2
    assert found["b/c.txt"]["sha256"] == hashlib.sha256(b"cc").hexdigest()
