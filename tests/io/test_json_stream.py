import gzip
import json
import zipfile

import pytest

from sthelar_build.errors import InputError
from sthelar_build.io import json_stream
from sthelar_build.io.json_stream import json_elements


def elements(path, text=None):
    if text is not None:
        path.write_text(text, encoding="utf-8")
    return list(json_elements(path, "features", "export it again"))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "some.json"


@pytest.fixture
def tiny_chunks(monkeypatch):
    monkeypatch.setattr(json_stream, "_CHUNK_CHARS", 3)


def test_a_list_is_read_bare_or_from_an_object_whatever_stands_around_it(path):
    assert elements(path, '[1, {"a": [2]}, "x"]') == [1, {"a": [2]}, "x"]
    assert elements(path, '\ufeff{"crs": {"b": [1]}, "features": [1, 2], "type": "x"}\n') == [1, 2]
    assert elements(path, ' { "features" : [ ] } ') == []


@pytest.mark.usefixtures("tiny_chunks")
def test_where_the_text_is_cut_makes_no_difference(path):
    values = [{"type": "Feature", "n": 12345678, "x": [1.5, -2e-3]}, None, 'a \\ " é', 42]
    assert elements(path, json.dumps({"name": "y", "features": values}, indent=2)) == values
    assert elements(path, json.dumps(values)) == values


def test_gzip_and_zip_are_opened(tmp_path):
    packed = tmp_path / "a.geojson.gz"
    packed.write_bytes(gzip.compress(b"[1, 2]"))
    assert elements(packed) == [1, 2]
    zipped = tmp_path / "a.geojson.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("folder/a.geojson", "[3]")
        archive.writestr("__MACOSX/folder/._a.geojson", "x")
    assert elements(zipped) == [3]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1, 2", "[1 2]", "[1,]", '{"features": 3}', '{"other": [1]}', '"x"', "[1] [2]", "\x00", "[" * 100_000],
)  # fmt: skip
def test_anything_else_is_refused(path, text):
    with pytest.raises(InputError, match=r"some\.json: expected a JSON list.*; export it again"):
        elements(path, text)


def test_broken_archives_are_refused(tmp_path):
    for name, content in (
        ("a.gz", b"[1]"),
        ("a.zip", b"[1]"),
        ("b.gz", gzip.compress(b"[1, 2]")[:-9]),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            elements(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.json", "[1]")
        archive.writestr("b.json", "[1]")
    with pytest.raises(InputError, match="an archive of 2 files instead of one"):
        elements(tmp_path / "two.zip")


def test_bytes_that_are_no_text_are_refused(path):
    path.write_bytes(b'["\xff\xfe"]')
    with pytest.raises(InputError, match=r"some\.json"):
        elements(path)


def test_an_element_that_never_ends_is_refused_before_it_fills_the_memory(path, monkeypatch):
    monkeypatch.setattr(json_stream, "_LARGEST_ELEMENT_CHARS", 1000)
    monkeypatch.setattr(json_stream, "_CHUNK_CHARS", 100)
    with pytest.raises(InputError, match="an element of more than 0 MB"):
        elements(path, '["' + "x" * 10_000 + '"]')
