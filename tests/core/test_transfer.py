"""A second opinion on labels, and where it is the first one."""

import numpy as np
import pytest

from sthelar_build.core.transfer import ClassAgreement, Transfer, agreement_by_class


def opinions(*names):
    return np.array(names, dtype=object)


def test_the_class_of_a_label_is_looked_up_and_no_opinion_has_none():
    transfer = Transfer(
        opinions("T cell", None, "B cell"), np.array([0.9, np.nan, 0.4], np.float32)
    )
    classes = transfer.classes({"T cell": "T_NK", "B cell": "B_Plasma"})
    assert classes.tolist() == ["T_NK", None, "B_Plasma"]


def test_agreement_is_counted_in_the_classes_of_the_first():
    first = ["T", "T", "T", "T", "B", "B"]
    found = agreement_by_class(first, opinions("T", "B", "B", "M", "B", "B"))
    assert found == [
        ClassAgreement("B", 2, 1.0, None, 0.0),
        ClassAgreement("T", 4, 0.25, "B", 0.5),
    ]


def test_objects_without_one_of_the_opinions_do_not_count():
    found = agreement_by_class(["T", None, "T", "B"], opinions("T", "T", None, None))
    assert found == [ClassAgreement("T", 1, 1.0, None, 0.0)]


def test_the_first_by_name_of_equal_rivals_is_named():
    (found,) = agreement_by_class(["T"] * 4, opinions("M", "B", "B", "M"))
    assert (found.share, found.rival, found.rival_share) == (0, "B", pytest.approx(0.5))


def test_the_order_of_the_objects_does_not_matter():
    first, second = opinions("T", "T", "B", "T"), opinions("B", "T", "M", "M")
    assert agreement_by_class(first[::-1], second[::-1]) == agreement_by_class(first, second)


def test_no_object_is_no_class():
    assert agreement_by_class([], opinions()) == []
