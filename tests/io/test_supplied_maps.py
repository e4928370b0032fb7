"""Supplied maps become patches of ours, or are refused."""

from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from sthelar_build.errors import InputError
from sthelar_build.io.he_blocks import Block
from sthelar_build.io.instance_maps import SparseMap, instance_map_writer
from sthelar_build.io.supplied_maps import n_supplied_patches, open_supplied_maps

MAP = np.array([[0, 5, 5], [0, 0, 0], [0, 0, 7]], dtype=np.int32)


@pytest.fixture
def path(tmp_path):
    with instance_map_writer(tmp_path / "maps.h5", {}, "theirs") as writer:
        for patch_id in (1, 3):
            writer.write(patch_id, SparseMap.of(MAP * patch_id))
    return tmp_path / "maps.h5"


def test_a_block_of_patches_is_taken_over_with_every_nucleus(path):
    with open_supplied_maps(path, "s", 3, 4) as maps:
        assert maps.patch_ids == [1, 3]
        rows = [SimpleNamespace(patch_id=patch_id) for patch_id in (1, 3)]
        first, second = maps.find(Block(0, 0, [rows]))
    assert (first.patch_id, second.patch_id) == (1, 3)
    np.testing.assert_array_equal(second.instances, MAP * 3)
    assert second.instances.dtype == np.uint32
    assert second.nuclei.ids.tolist() == [15, 21]
    assert second.nuclei.centroid_px.tolist() == [[2, 0.5], [2.5, 2.5]]


def test_maps_of_a_larger_grid_are_refused(path):
    with (
        pytest.raises(InputError, match="expected patches 0 to 2, found 3"),
        open_supplied_maps(path, "s", 3, 3),
    ):
        pass


def test_the_patches_of_a_file_are_counted(path):
    assert n_supplied_patches(path, "s") == 2


def test_a_file_that_holds_something_else_or_is_absent_is_no_file_of_maps(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["unrelated"] = np.zeros(1)
    with pytest.raises(InputError, match="found unrelated"):
        n_supplied_patches(tmp_path / "other.h5", "s")
    with pytest.raises(InputError, match="found no file"):
        n_supplied_patches(tmp_path / "absent.h5", "s")
