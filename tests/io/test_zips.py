"""Archives that are the same whenever they are written."""

import shutil
import subprocess
import time
import zipfile

import pytest

from sthelar_build.io.zips import packed, zip_bytes, zip_writer


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


def test_an_archive_in_memory_is_that_of_a_file(tmp_path):
    write(tmp_path / "one.zip")
    entries = [packed("b.png", b"picture"), packed("a.npz", b"0" * 1000, 6)]
    assert zip_bytes(entries) == (tmp_path / "one.zip").read_bytes()


def test_what_does_not_shrink_is_stored():
    assert packed("a", b"ab", 9).method == zipfile.ZIP_STORED
    assert packed("a", b"a" * 99, 1).method == zipfile.ZIP_DEFLATED
    assert packed("a", b"a" * 99).packed == b"a" * 99


@pytest.mark.skipif(not shutil.which("unzip"), reason="no unzip here")
def test_other_programs_read_the_archive(tmp_path):
    write(tmp_path / "one.zip")
    subprocess.run(["unzip", "-tq", tmp_path / "one.zip"], check=True, capture_output=True)


def test_entries_beyond_four_gigabytes_are_found(tmp_path, monkeypatch):
    # The limits of the old format, made small: what lies beyond them needs the fields of zip64.
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 400)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 3)
    with zip_writer(tmp_path / "one.zip") as archive:
        for number in range(20):
            archive.append(packed(f"{number}", f"{number}".encode() * 10))
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.read("19") == b"19" * 10
        assert archive.testzip() is None


@pytest.mark.parametrize("level", [0, 1, 9])
@pytest.mark.parametrize("threads", [1, 3])
def test_an_entry_that_comes_in_pieces_is_their_sum_whatever_the_threads(tmp_path, level, threads):
    pieces = [bytes([number]) * 1000 for number in range(50)]
    with zip_writer(tmp_path / "one.zip") as archive:
        archive.append(packed("before", b"x"))
        archive.append_stream("a", iter(pieces), level, threads)
        archive.append(packed("after", b"y"))
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.namelist() == ["before", "a", "after"]
        assert archive.read("a") == b"".join(pieces)
        assert archive.testzip() is None
    with zip_writer(tmp_path / "two.zip") as archive:
        archive.append(packed("before", b"x"))
        archive.append_stream("a", pieces, level)
        archive.append(packed("after", b"y"))
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_an_entry_without_a_piece_is_empty(tmp_path):
    with zip_writer(tmp_path / "one.zip") as archive:
        archive.append_stream("a", [], 1)
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.read("a") == b""
