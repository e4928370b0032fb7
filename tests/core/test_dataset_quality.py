"""Means over patches."""

import numpy as np
import pytest

from sthelar_build.core.agreement import agreement
from sthelar_build.core.class_quality import class_quality
from sthelar_build.core.dataset_quality import DatasetQuality, PatchQuality
from sthelar_build.core.detection import Centres, detect

TRUE = np.array([[1, 1, 0, 2, 2]])
TYPES = np.array([[1, 1, 0, 2, 2]])
SPOTS = Centres(np.array([[0.5, 0], [3.5, 0]]), np.array([1, 2]))
NONE = Centres(np.zeros((0, 2)))


def patch(name, tissue, kept=(1, 2)):
    """A patch of which the nuclei ``kept`` are found."""
    predicted = np.where(np.isin(TRUE, kept), TRUE, 0)
    chosen = np.isin([1, 2], kept)
    centres = Centres(SPOTS.points_px[chosen], SPOTS.types[chosen])
    return PatchQuality(
        name,
        tissue,
        agreement(TRUE, predicted),
        class_quality(TRUE, TYPES, predicted, TYPES, 3),
        detect(SPOTS, centres, 1, 3),
    )


def blank(name, tissue):
    nothing = TRUE * 0
    return PatchQuality(
        name,
        tissue,
        agreement(nothing, nothing),
        class_quality(nothing, nothing, nothing, nothing, 3),
        detect(NONE, NONE, 1, 3),
    )


def gathered(*patches):
    quality = DatasetQuality(3)
    for one in patches:
        quality.add(one)
    return quality


def test_means_leave_out_what_is_undefined_but_a_dice_of_zero_enters():
    found = gathered(patch("a", "skin"), blank("b", "skin")).dataset()
    assert found["Dice"] == 0.5
    assert found["Jaccard"] == 1
    assert found["bPQ"] == pytest.approx(1, abs=1e-5)
    assert found["mPQ"] == pytest.approx(1, abs=1e-5)
    assert found["bDQ"] * found["bSQ"] == pytest.approx(found["bPQ"], abs=1e-9)


def test_tissues_have_means_of_their_own():
    found = gathered(patch("a", "skin"), patch("b", "breast", kept=[1])).tissues()
    assert list(found) == ["breast", "skin"]
    assert found["skin"]["mPQ"] == pytest.approx(1, abs=1e-5)
    assert found["breast"]["mPQ"] == pytest.approx(0.5, abs=1e-5)
    assert list(found["skin"]) == ["Dice", "Jaccard", "bPQ", "mPQ"]


def test_classes_have_the_mean_of_the_patches_that_show_them():
    found = gathered(patch("a", "skin"), patch("b", "skin", kept=[1]), blank("c", "skin"))
    np.testing.assert_allclose(found.class_pq(), [np.nan, 1, 0.5], atol=1e-5)
    assert found.detection.scores() == (1, 3 / 4, 6 / 7)


def test_every_patch_keeps_its_metrics():
    found = gathered(patch("a", "skin"), blank("b", "skin")).images()
    assert found["a"] == {"Dice": 1, "Jaccard": 1, "bPQ": agreement(TRUE, TRUE).bpq}
    assert np.isnan(found["b"]["bPQ"])


def test_without_patches_every_mean_is_undefined():
    empty = gathered()
    assert np.isnan(list(empty.dataset().values())).all()
    assert np.isnan(empty.class_pq()).all()
    assert (empty.tissues(), empty.images(), len(empty)) == ({}, {}, 0)
