"""The rarest class counts as much as all others together."""

import numpy as np
import pytest

from sthelar_build.core.rare_classes import rarest_class, rarity_strata, sharing_weights


def counts(*n_patches, n=40, nuclei=1):
    """A class per argument, shown by so many patches."""
    table = np.zeros((n, len(n_patches)), dtype=int)
    for column, shown in enumerate(n_patches):
        table[:shown, column] = nuclei
    return table


def test_the_rarest_is_the_class_of_fewest_nuclei_that_enough_patches_show():
    assert rarest_class(counts(40, 12, 20)) == 1
    assert rarest_class(counts(40, 3, 20)) == 2
    assert rarest_class(counts(9, 3, 0)) == 0
    assert rarest_class(counts(0, 0)) is None
    assert rarest_class(counts(0, 0, n=0)) is None


def test_weights_are_one_for_the_rarest_and_one_for_the_others_together():
    weights = sharing_weights(counts(40, 12, 20, 0))
    assert weights.tolist() == pytest.approx([0.5, 1, 0.5, 0])
    assert sharing_weights(counts(0, 0)).tolist() == [0, 0]


def test_strata_tell_the_patches_with_the_rarest_class_of_their_tissue():
    nuclei = np.concatenate([counts(40, 12), counts(11, 40)])
    tissue = np.repeat(["Skin", "Breast"], 40)
    strata = rarity_strata(nuclei, tissue)
    assert len(set(strata)) == 4
    assert (strata[:12] == strata[0]).all()
    assert (strata[12:40] == strata[12]).all()
    assert (strata[40:51] == strata[40]).all()
