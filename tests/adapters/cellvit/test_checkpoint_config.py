import pytest

from sthelar_build.adapters.cellvit.checkpoint_config import (
    magnification,
    nested,
    nuclei_types,
    per_channel,
    tissue_types,
)
from sthelar_build.errors import InputError


def test_keys_joined_by_dots_are_nested_whether_or_not_some_are_already():
    assert nested({"a.b.c": 1, "a.b": {"d": 2}, "a": {"e.f": 3, "b.x": 5}, "g": 4}, "file") == {
        "a": {"b": {"c": 1, "d": 2, "x": 5}, "e": {"f": 3}},
        "g": 4,
    }


def test_a_key_that_is_both_a_value_and_a_parent_is_refused():
    with pytest.raises(InputError, match=r"file: config has a both as a value and in a\.b"):
        nested({"a": 1, "a.b": 2}, "file")


def test_a_config_that_is_no_table_is_refused():
    with pytest.raises(InputError, match="file: expected config to be a table, found list"):
        nested([1], "file")


def _named(**names):
    return {"dataset_config": {"nuclei_types": names, "tissue_types": names}}


def test_names_are_ordered_by_index_and_those_missing_are_numbered():
    assert list(nuclei_types(_named(B=2, A=0), 3, "file").items()) == [
        ("A", 0), ("class 1", 1), ("B", 2),
    ]  # fmt: skip


def test_six_classes_without_names_are_those_of_pannuke_and_other_numbers_are_not():
    assert nuclei_types({}, 6, "file")["Epithelial"] == 5
    assert nuclei_types({}, 2, "file") == {"class 0": 0, "class 1": 1}


@pytest.mark.parametrize("names", [{"A": 0, "B": 0}, {"A": 3}, {"A": -1}, {"A": "x"}])
def test_classes_that_share_an_index_or_lie_beyond_the_map_are_refused(names):
    with pytest.raises(InputError, match=r"file: expected dataset_config\.nuclei_types to give"):
        nuclei_types(_named(**names), 3, "file")


def test_tissues_beyond_the_head_are_left_out():
    assert tissue_types(_named(Breast=0, Colon=1), 1, "file") == {"Breast": 0}
    with pytest.raises(InputError, match=r"file: expected dataset_config\.tissue_types to give"):
        tissue_types(_named(Breast="x"), 1, "file")


def test_the_magnification_is_40_unless_said_and_nothing_but_20_or_40():
    assert magnification({}, "file") == 40
    assert magnification({"data": {"magnification": 20}}, "file") == 20
    with pytest.raises(InputError, match=r"file: expected data.magnification 20 or 40, found 10"):
        magnification({"data": {"magnification": 10}}, "file")


def test_the_normalisation_is_three_numbers():
    assert per_channel({}, "std", "file") == (0.5, 0.5, 0.5)
    config = {"transformations": {"normalize": {"mean": [1, 2]}}}
    with pytest.raises(InputError, match=r"normalize.mean to be three numbers, found \[1, 2\]"):
        per_channel(config, "mean", "file")
