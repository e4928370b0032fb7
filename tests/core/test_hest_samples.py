"""Samples as HEST describes them."""

import pytest

from sthelar_build.core.hest_samples import FIELDS, clash, magnification, sample_record


def test_a_record_has_every_field_in_order_and_null_for_the_unknown():
    record = sample_record({"organ": "Skin", "id": "s1"})
    assert tuple(record) == FIELDS
    assert (record["id"], record["organ"], record["license"]) == ("s1", "Skin", None)


def test_a_field_that_hest_has_not_is_refused():
    with pytest.raises(ValueError, match="organs"):
        sample_record({"organs": "Skin"})


@pytest.mark.parametrize(
    ("um_per_px", "word"), [(0.1, "60x"), (0.5, "40x"), (0.51, "20x"), (4, "10x"), (4.1, "<10x")]
)
def test_magnification_is_told_from_the_size_of_a_pixel(um_per_px, word):
    assert magnification(um_per_px) == word


def test_an_id_that_ends_another_clashes():
    assert clash(["breast_s1", "s1"]) == ("s1", "breast_s1")
    assert clash(["breast_s1", "breast_s2", "s10"]) is None
