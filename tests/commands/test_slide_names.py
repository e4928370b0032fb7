"""Names of slides for the completion of the shell."""

from slides.raw_slide import ROW, write_sheets
from sthelar_build.commands.slide_names import slide_names


def test_slides_that_begin_so_are_offered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_sheets(tmp_path, f"# a comment\n{ROW}{ROW.replace('own', 'other')}")
    assert slide_names("") == ["own", "other"]
    assert slide_names("ow") == ["own"]


def test_without_a_sheet_nothing_is_offered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert slide_names("") == []
