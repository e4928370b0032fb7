"""Tables of people are read with the numbers of their lines, and what is amiss is said in one line."""

import pytest

from sthelar_build.errors import ConfigError
from sthelar_build.io.tsv import read_tsv


def write(tmp_path, text):
    path = tmp_path / "table.tsv"
    path.write_text(text, encoding="utf-8")
    return path


def test_comments_blank_lines_and_other_columns_are_passed_over(tmp_path):
    path = write(tmp_path, "\ufeffb\tnote\ta\n# why\n\n 1 \tx\t2\n3\n")
    assert read_tsv(path, ["a", "b"]) == [(4, {"a": "2", "b": "1"}), (5, {"a": "", "b": "3"})]


def test_an_empty_table_has_no_rows(tmp_path):
    assert read_tsv(write(tmp_path, "# nothing yet\n"), ["a"]) == []


def test_a_missing_column_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(ConfigError, match="expected the tab-separated columns a, b, found a"):
        read_tsv(write(tmp_path, "a\n1\n"), ["a", "b"])
    with pytest.raises(ConfigError, match=r"none\.tsv: expected a tab-separated table"):
        read_tsv(tmp_path / "none.tsv", ["a"])


def test_optional_columns_may_be_absent_and_then_no_others_are_let_pass(tmp_path):
    path = write(tmp_path, "a\tc\n1\t2\n")
    assert read_tsv(path, ["a"], ["b", "c"]) == [(2, {"a": "1", "b": "", "c": "2"})]
    with pytest.raises(ConfigError, match="expected no columns but a, b, found also c; rename"):
        read_tsv(path, ["a"], ["b"])
