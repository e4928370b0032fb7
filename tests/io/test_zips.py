"""Archives that are the same whenever they are written."""

import time
import zipfile

import pytest

from sthelar_build.io.zips import zip_writer


def write(path):
    with zip_writer(path) as archive:
        archive.add("b.png", b"picture", compress=False)
        archive.add("a.npz", b"0" * 1000, compress=True)


def test_two_archives_of_the_same_entries_are_equal_on_another_day(tmp_path, monkeypatch):
    write(tmp_path / "one.zip")
    later = time.localtime(time.time() + 10**6)
    monkeypatch.setattr(time, "localtime", lambda *_: later)
    write(tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_names_stay_in_order_and_only_what_gains_is_compressed(tmp_path):
    write(tmp_path / "one.zip")
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.namelist() == ["b.png", "a.npz"]
        assert archive.read("b.png") == b"picture"
        assert archive.getinfo("b.png").compress_type == zipfile.ZIP_STORED
        assert archive.getinfo("a.npz").compress_size < 100
        assert archive.testzip() is None


def test_a_name_cannot_come_twice(tmp_path):
    with zip_writer(tmp_path / "one.zip") as archive:
        archive.add("a", b"", compress=False)
        with pytest.raises(ValueError, match="twice"):
            archive.add("a", b"", compress=False)
