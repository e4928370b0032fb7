"""A row more, and every byte that was there stays."""

import pytest

from sthelar_build.errors import ConfigError
from sthelar_build.io.sheet_append import append_row, sheet_rows
from sthelar_build.settings.sheet_rows import tsv_rows

ROW = {"slide": "s2", "he": "b c.tif"}


def append(path, content, row=ROW):
    path.write_bytes(content)
    line = append_row(path, row, "slide")
    assert path.read_bytes().startswith(content)
    return line, path.read_bytes()[len(content) :]


def test_comments_blanks_and_rows_stay_and_the_row_is_the_last_line(tmp_path):
    content = b"# mine\nslide\the\n\ns1\ta.tif  \n# end\n"
    assert append(tmp_path / "s.tsv", content) == (6, b"s2\tb c.tif\n")


def test_a_last_line_without_an_end_gets_one(tmp_path):
    assert append(tmp_path / "s.tsv", b"slide\the\ns1\ta.tif") == (3, b"\ns2\tb c.tif\n")


def test_line_ends_and_the_mark_of_windows_are_kept(tmp_path):
    content = b"\xef\xbb\xbfslide\the\r\ns1\ta.tif\r\n"
    assert append(tmp_path / "s.tsv", content)[1] == b"s2\tb c.tif\r\n"


def test_cells_go_under_their_columns_and_others_stay_empty(tmp_path):
    assert append(tmp_path / "s.tsv", b"he\tpatient\tslide\n")[1] == b"b c.tif\t\ts2\n"


def test_quotes_in_a_name_are_read_back_as_they_are(tmp_path):
    row = {"slide": "s2", "he": 'my "best".tif'}
    append(tmp_path / "s.tsv", b"slide\the\n", row)
    assert sheet_rows(tmp_path / "s.tsv") == [row]
    text = (tmp_path / "s.tsv").read_text()
    assert tsv_rows(tmp_path, text)[1] == [(2, row)]


@pytest.mark.parametrize(
    ("content", "row", "word"),
    [
        (b"slide\the\ns2\tx\n", ROW, "found one; take another name"),
        (b"slide\n", ROW, "expected a column he"),
        (b"slide\the\n", {"slide": "s2", "he": "a\nb"}, "line break in he"),
        (b"slide\the\n\xff\n", ROW, "UTF-8"),
    ],
)
def test_what_cannot_be_appended_leaves_the_sheet_as_it_was(tmp_path, content, row, word):
    path = tmp_path / "s.tsv"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=word):
        append_row(path, row, "slide")
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_stay_and_a_link_stays_one(tmp_path):
    real, link = tmp_path / "real.tsv", tmp_path / "link.tsv"
    real.write_bytes(b"slide\the\n")
    real.chmod(0o640)
    link.symlink_to(real)
    append_row(link, ROW, "slide")
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert sheet_rows(real) == [ROW]
