"""A user's map of labels is read, and labels that nothing maps are all named."""

from pathlib import Path

import pytest

from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.label_map import read_label_map, resolve_labels


def write(tmp_path, text):
    path = tmp_path / "map.tsv"
    path.write_text(text, encoding="utf-8")
    return path


def test_labels_are_mapped_to_classes(tmp_path):
    path = write(tmp_path, "label\tclass\nmy type\tMyeloid\n")
    assert read_label_map(path) == {"my type": "Myeloid"}
    assert read_label_map(None) == {}


def test_an_unknown_class_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="found 'Mieloid'"):
        read_label_map(write(tmp_path, "label\tclass\nmy type\tMieloid\n"))


def test_missing_columns_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="expected the tab-separated columns label, class"):
        read_label_map(write(tmp_path, "label,class\n"))


def test_all_unknown_labels_are_in_one_line_with_the_nearest():
    with pytest.raises(
        InputError, match=r"atlas.h5ad: .*'Fibrablast' \(nearest: 'Fibroblast'\); 'zz'"
    ):
        resolve_labels(["T", "Fibrablast", "zz"], {}, Path("atlas.h5ad"))
