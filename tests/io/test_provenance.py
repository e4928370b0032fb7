"""The same work gives the same provenance."""

import hashlib
import json

from sthelar_build.config import TileSettings
from sthelar_build.io.provenance import checksum, provenance, provenance_json


def test_settings_revision_and_checksums_are_recorded(tmp_path):
    he = tmp_path / "he.tif"
    he.write_bytes(b"pixels")
    source = provenance("tile", TileSettings(side_px=128), {"he": he})
    assert source["stage"] == "tile"
    assert source["revision"] == 1
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
