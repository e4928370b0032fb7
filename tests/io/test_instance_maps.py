"""Instance maps in HDF5: the published layout, round trips, and files that must be refused."""

import json

import h5py
import numpy as np
import pytest
import scipy.sparse

from sthelar_build.errors import InputError
from sthelar_build.io.instance_maps import SparseMap, instance_map_writer, open_instance_maps

MAP = np.array([[0, 5, 5, 0], [0, 0, 0, 0], [0, 0, 0, 7], [9, 0, 0, 7]], dtype=np.int32)
SOURCE = {"stage": "segment"}


def write(path, maps):
    with instance_map_writer(path, SOURCE, "haematoxylin") as writer:
        for patch_id, instances in maps.items():
            writer.write(patch_id, SparseMap.of(instances))


def by_hand(path, stem, instances):
    csr = scipy.sparse.csr_array(instances)
    with h5py.File(path, "a") as file:
        for part in ("data", "indices", "indptr"):
            file[f"{stem}_{part}"] = getattr(csr, part)
        file[f"{stem}_shape"] = np.array(instances.shape)


def test_the_layout_is_the_published_one(tmp_path):
    write(tmp_path / "maps.h5", {12: MAP})
    with h5py.File(tmp_path / "maps.h5") as file:
        found = {name: file[name].dtype for name in file}
        assert found == {
            "12_data": np.float32,
            "12_indices": np.int32,
            "12_indptr": np.int32,
            "12_shape": np.int64,
        }
        assert file["12_data"].chunks is None
        csr = scipy.sparse.csr_array(
            (file["12_data"][()], file["12_indices"][()], file["12_indptr"][()]), shape=(4, 4)
        )
        assert json.loads(file.attrs["sthelar"]) == SOURCE
    np.testing.assert_array_equal(csr.toarray(), MAP)


def test_maps_come_back_as_they_were_an_empty_one_too(tmp_path):
    write(tmp_path / "maps.h5", {3: MAP, 1: np.zeros_like(MAP)})
    with open_instance_maps(tmp_path / "maps.h5") as maps:
        assert maps.patch_ids == [1, 3]
        assert maps.method == "haematoxylin"
        assert 2 not in maps
        np.testing.assert_array_equal(maps.read(3, 4).dense(), MAP)
        assert not maps.read(1, 4).dense().any()


def test_names_may_start_with_the_slide_even_if_it_ends_in_a_number(tmp_path):
    by_hand(tmp_path / "maps.h5", "breast_s0_10", MAP)
    with open_instance_maps(tmp_path / "maps.h5") as maps:
        assert maps.patch_ids == [10]
        np.testing.assert_array_equal(maps.read(10, 4).dense(), MAP)


def test_a_file_of_several_slides_needs_to_know_which(tmp_path):
    by_hand(tmp_path / "maps.h5", "a_s0_10", MAP)
    by_hand(tmp_path / "maps.h5", "b_s0_11", MAP)
    with open_instance_maps(tmp_path / "maps.h5", "b_s0") as maps:
        assert maps.patch_ids == [11]
    with pytest.raises(InputError, match="a_s0, b_s0"), open_instance_maps(tmp_path / "maps.h5"):
        pass


def test_a_map_of_another_size_is_refused(tmp_path):
    write(tmp_path / "maps.h5", {0: MAP})
    with (
        open_instance_maps(tmp_path / "maps.h5") as maps,
        pytest.raises(InputError, match=r"expected a map of 8 x 8 px, found \(4, 4\)"),
    ):
        maps.read(0, 8)


@pytest.mark.parametrize(
    ("part", "values", "flaw"),
    [
        ("data", [1, 1, 2, 2.5, 2], "not whole"),
        ("data", [1, 1], "different lengths"),
        ("indices", [1, 2, 3, 0, 9], "columns outside"),
        ("indptr", [0, 2, 2, 3], "row pointers"),
        ("indptr", [0, 2, 1, 3, 5], "row pointers"),
    ],
)
def test_broken_parts_are_named(tmp_path, part, values, flaw):
    by_hand(tmp_path / "maps.h5", "0", MAP)
    with h5py.File(tmp_path / "maps.h5", "a") as file:
        del file[f"0_{part}"]
        file[f"0_{part}"] = np.array(values)
    with (
        open_instance_maps(tmp_path / "maps.h5") as maps,
        pytest.raises(InputError, match=flaw),
    ):
        maps.read(0, 4)


def test_a_missing_part_a_strange_name_and_a_file_of_another_kind_are_refused(tmp_path):
    by_hand(tmp_path / "part.h5", "0", MAP)
    with h5py.File(tmp_path / "part.h5", "a") as file:
        del file["0_shape"]
    by_hand(tmp_path / "name.h5", "patch", MAP)
    (tmp_path / "text.h5").write_text("not HDF5")
    for name, expected in [("part", "patch 0"), ("name", "patch_data"), ("text", "broken")]:
        with pytest.raises(InputError, match=expected), open_instance_maps(tmp_path / f"{name}.h5"):
            pass


def test_a_failure_leaves_nothing_behind(tmp_path):
    path = tmp_path / "maps.h5"
    with (
        pytest.raises(ValueError, match="ids up to"),
        instance_map_writer(path, SOURCE, "haematoxylin") as writer,
    ):
        writer.write(0, SparseMap.of(np.array([[2**24 + 1]])))
    assert list(tmp_path.iterdir()) == []
