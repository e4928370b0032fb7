"""Every patch that is left out has a reason, and the first that holds is told."""

import numpy as np
import pandas as pd
import pytest

from sthelar_build.core.selection import SelectionRule, left_out


def patches(**columns):
    good = {
        "complete": True, "n_nuclei": 3, "tissue_fraction": 0.8, "covered_fraction": 1.0, "blur_um": 0.6,
        "Dice": 0.8, "Jaccard": 0.7, "bPQ": 0.5,
    }  # fmt: skip
    n = max((len(values) for values in columns.values()), default=1)
    return pd.DataFrame({**{name: [value] * n for name, value in good.items()}, **columns})


def reasons(table, gated=None, **rule):
    gated = np.zeros(len(table), dtype=bool) if gated is None else np.array(gated)
    return list(left_out(table, gated, SelectionRule(**rule)))


def test_without_limits_only_incomplete_patches_and_failed_slides_go():
    table = patches(complete=[False, True, True], Jaccard=[np.nan] * 3, blur_um=[np.nan] * 3)
    assert reasons(table, gated=[False, True, False]) == ["outside", "registration", None]


def test_the_least_nuclei_and_the_least_tissue_are_kept():
    assert reasons(patches(n_nuclei=[0, 1, 2]), min_nuclei=1) == ["few_nuclei", None, None]
    table = patches(tissue_fraction=[0.49, 0.5, 1.0])
    assert reasons(table, min_tissue=0.5) == ["little_tissue", None, None]


def test_a_patch_is_uncovered_below_the_limit_and_not_where_it_has_no_tissue():
    table = patches(covered_fraction=[0.0, 0.89, 0.9, np.nan])
    assert reasons(table, min_covered=0.9) == ["uncovered", "uncovered", None, None]
    assert reasons(table) == [None] * 4


def test_a_patch_is_blurred_above_the_limit_and_where_nothing_was_measured():
    table = patches(blur_um=[0.0, 1.0, 1.01, np.nan])
    assert reasons(table, max_blur_um=1.0) == [None, None, "blurred", "blurred"]


@pytest.mark.parametrize(
    ("column", "key"), [("Dice", "dice"), ("Jaccard", "jaccard"), ("bPQ", "bpq")]
)
def test_both_ends_of_an_interval_are_kept_and_missing_metrics_are_not(column, key):
    table = patches(**{column: [0.44, 0.45, 0.9, 0.91, np.nan]})
    assert reasons(table, **{key: (0.45, 0.9)}) == [key, None, None, key, key]


def test_the_first_reason_that_holds_is_told():
    table = patches(complete=[False, True, True], n_nuclei=[0, 0, 0], Jaccard=[0.0, 0.0, 0.0])
    found = reasons(table, gated=[True, True, False], min_nuclei=1, jaccard=(0.5, 1.0))
    assert found == ["outside", "registration", "few_nuclei"]
