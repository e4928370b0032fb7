"""Pages and cards are rendered whole, and a value that the template lacks is an error."""

import pytest
from jinja2 import DictLoader, UndefinedError

from sthelar_build.io import pages
from sthelar_build.io.pages import breakable, write_card, write_page

VALUES = {
    "head": "a: 1\n",
    "side_px": 256,
    "counts": {"train": 3},
    "classes": [],
    "slides": ["one", "two"],
    "unassigned": "unassigned",
}


def test_values_stand_in_the_card_unescaped(tmp_path):
    write_card(tmp_path / "README.md", "huggingface.md.j2", {**VALUES, "slides": ["a & b"]})
    text = (tmp_path / "README.md").read_text()
    assert text.startswith("---\na: 1\n---\n")
    assert "256 x 256 px" in text
    assert "| train | 3 |" in text
    assert "Slides: a & b." in text


def test_a_missing_value_writes_nothing(tmp_path):
    incomplete = {name: value for name, value in VALUES.items() if name != "side_px"}
    with pytest.raises(UndefinedError, match="side_px"):
        write_card(tmp_path / "README.md", "huggingface.md.j2", incomplete)
    assert list(tmp_path.iterdir()) == []


def test_values_stand_in_a_page_escaped(tmp_path, monkeypatch):
    templates = DictLoader({"a.html": "<p>{{ word }}</p>\n", "a.md": "{{ word }}\n"})
    monkeypatch.setattr(pages, "PackageLoader", lambda _: templates)
    write_page(tmp_path / "a.html", "a.html", {"word": "<b>"})
    write_card(tmp_path / "a.md", "a.md", {"word": "<b>"})
    assert (tmp_path / "a.html").read_text() == "<p>&lt;b&gt;</p>"
    assert (tmp_path / "a.md").read_text() == "<b>\n"


def test_what_goes_in_verbatim_is_neither_read_nor_escaped(tmp_path, monkeypatch):
    templates = DictLoader({"a.html": "{{ verbatim('a.js') }}", "a.js": "if (a < b) {{ f() }}\n"})
    monkeypatch.setattr(pages, "PackageLoader", lambda _: templates)
    write_page(tmp_path / "a.html", "a.html", {})
    assert (tmp_path / "a.html").read_text() == "if (a < b) {{ f() }}"


def test_long_names_may_be_broken_after_their_underscores_and_stay_escaped():
    assert breakable("T_NK <x>") == "T_<wbr>NK &lt;x&gt;"
