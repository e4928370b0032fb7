"""Archives of others are looked through before they are read."""

import zipfile

import pytest

from sthelar_build.errors import InputError
from sthelar_build.io.foreign_zips import foreign_zip, read_member


def made(path, name="a.csv", content=b"12345678"):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return path


def test_a_harmless_archive_is_read(tmp_path):
    path = made(tmp_path / "a.zip", "folder/a..b.csv")
    with foreign_zip(path, 8) as archive:
        assert read_member(path, archive, "folder/a..b.csv", 8) == b"12345678"


@pytest.mark.parametrize("name", ["../a", "b/../../a", "/a", "C:/a", "b\\a"])
def test_a_name_that_leads_out_is_refused(tmp_path, name):
    with (
        pytest.raises(InputError, match="leads out of it"),
        foreign_zip(made(tmp_path / "a.zip", name), 8),
    ):
        pass


def test_a_member_that_declares_too_much_is_refused(tmp_path):
    with (
        pytest.raises(InputError, match=r"found a\.csv of 8 bytes"),
        foreign_zip(made(tmp_path / "a.zip"), 7),
    ):
        pass


def test_a_member_that_holds_more_than_is_asked_for_is_refused(tmp_path):
    path = made(tmp_path / "a.zip")
    with (
        foreign_zip(path, 8) as archive,
        pytest.raises(InputError, match="of 7 bytes at most, found more"),
    ):
        read_member(path, archive, "a.csv", 7)


def test_a_file_that_is_none_and_no_file_are_told_apart(tmp_path):
    (tmp_path / "a.zip").write_text("x")
    for name, found in (("a.zip", "a broken one"), ("b.zip", "none")):
        with (
            pytest.raises(InputError, match=f"{name}: expected a zip archive, found {found}"),
            foreign_zip(tmp_path / name, 8),
        ):
            pass
