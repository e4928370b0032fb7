"""A user's map of labels is read, and labels that nothing maps are all named."""

from pathlib import Path

import pytest

from sthelar_build.errors import ConfigError, InputError
from sthelar_build.io.label_map import read_label_map, resolve_labels, unused_labels


def write(tmp_path, text):
    path = tmp_path / "map.tsv"
    path.write_text(text, encoding="utf-8")
    return path


def test_labels_are_mapped_to_classes(tmp_path):
    path = write(tmp_path, "label\tclass\nmy type\tMyeloid\n")
    assert read_label_map(path) == {"my type": "Myeloid"}
    assert read_label_map(None) == {}


def test_unknown_classes_are_all_named_with_the_nearest(tmp_path):
    path = write(tmp_path, "label\tclass\na\tMieloid\nb\tOther\nc\t12345\n")
    with pytest.raises(
        ConfigError, match=r"found '12345', 'Mieloid' \(nearest: Myeloid\); correct it"
    ):
        read_label_map(path)


def test_missing_columns_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="expected the tab-separated columns label, class"):
        read_label_map(write(tmp_path, "label,class\n"))


def test_a_label_of_two_classes_is_refused_also_in_another_spelling(tmp_path):
    path = write(tmp_path, "label\tclass\nmy type\tMyeloid\nother\tOther\nMy types\tT_NK\n")
    with pytest.raises(
        ConfigError,
        match=r"'my type' as Myeloid and T_NK; 'My types' as Myeloid and T_NK; keep one",
    ):
        read_label_map(path)


def test_a_label_may_stand_twice_with_one_class(tmp_path):
    path = write(tmp_path, "label\tclass\nmy type\tMyeloid\nmy type\tMyeloid\n")
    assert read_label_map(path) == {"my type": "Myeloid"}


def test_all_unknown_labels_are_in_one_line_with_the_nearest_and_its_class():
    with pytest.raises(InputError) as stop:
        resolve_labels(["T", "Fibrablast", "Melanocite"], {}, Path("atlas.h5ad"))
    assert str(stop.value) == (
        "atlas.h5ad: expected labels of the vocabulary, found 'Fibrablast' (nearest: 'Fibroblast', class "
        "Fibroblast_Myofibroblast); 'Melanocite' (nearest: 'Melanocyte', class Melanocyte); give a label_map "
        "(tsv with the columns label and class) for them"
    )


def test_a_mapped_label_is_known_and_the_map_goes_before_the_vocabulary():
    found = resolve_labels(["zz9", "T cells"], {"ZZ9": "Myeloid", "T cell": "Other"}, Path("x"))
    assert [entry.class_name for entry in found.values()] == ["Myeloid", "Other"]


def test_labels_of_the_map_that_the_atlas_lacks_are_told():
    assert unused_labels({"T cell": "T_NK", "Fibrablast": "Other"}, ["T cells", "B"]) == [
        "Fibrablast"
    ]
