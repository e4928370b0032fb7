"""Masks and predictions side by side: what counts as a nucleus, and what must fit."""

import numpy as np
import pytest

from slides import two_slides
from slides.predicted import write_predictions
from sthelar_build.core.predicted_maps import UNASSIGNED
from sthelar_build.errors import InputError
from sthelar_build.io.compared_patches import open_compared

SHAPE = (4, 14, two_slides.SIDE_PX)
FOUND = np.zeros((32, 32), np.uint32)
FOUND[:4, :4], FOUND[8:12, :4], FOUND[16:20, :4], FOUND[24:28, :4] = 1, 2, 4, UNASSIGNED


@pytest.fixture
def masks(tmp_path):
    return two_slides.write_slide(tmp_path / "s", "skin_s1").masks.parent


def compared(masks, folder, method, types=None):
    maps = {3: FOUND, 5: np.zeros_like(FOUND)}
    reasons = {i: "not_run" for i in range(56) if i not in maps}
    return open_compared(masks, write_predictions(folder, SHAPE, maps, reasons, method, types))


def test_of_a_network_instances_with_an_entry_and_a_type_count(masks, tmp_path):
    patch = compared(masks, tmp_path / "p", "cellvit", {1: 2, 2: 0}).patch(3)
    assert np.unique(patch.counted).tolist() == [0, 1]
    assert np.unique(patch.instances).tolist() == [0, 1, 2, 4]
    assert np.count_nonzero(patch.foreground) == 4 * 16
    assert patch.nuclei["instance_id"].tolist() == [1, 2]


def test_of_other_methods_all_count(masks, tmp_path):
    patch = compared(masks, tmp_path / "p", "haematoxylin").patch(3)
    assert np.unique(patch.counted).tolist() == [0, 1, 2, 4]


def test_patches_in_a_row_are_those_alone(masks, tmp_path):
    both = compared(masks, tmp_path / "p", "haematoxylin")
    for patch in both.each_between(2, 7):
        alone = both.patch(patch.patch_id)
        np.testing.assert_array_equal(patch.true, both.masks.instances(patch.patch_id))
        np.testing.assert_array_equal(patch.foreground, alone.foreground)
        assert patch.nuclei["patch_id"].tolist() == [3] * (3 if patch.patch_id == 3 else 0)


def test_another_grid_is_refused(masks, tmp_path):
    other = write_predictions(tmp_path / "p", (1, 1, 32), {0: FOUND}, {})
    with pytest.raises(InputError, match=r"expected 56 patches of 32 x 32 px as in .*, found 1 of"):
        open_compared(masks, other)
