"""Whatever is wrong with an HDF5 file, it is among what readers catch."""

import h5py
import pytest

from sthelar_build.io.hdf5 import UNREADABLE


def values(path):
    with h5py.File(path) as file:
        return file["group/values"].asstr()[:]


def no_file(path):
    path.unlink()


def text(path):
    path.write_text("values")


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-100])


def renamed(path):
    with h5py.File(path, "r+") as file:
        file.move("group/values", "group/others")


def numbers(path):
    with h5py.File(path, "r+") as file:
        del file["group/values"]
        file["group/values"] = [1, 2]


def a_group(path):
    with h5py.File(path, "r+") as file:
        del file["group/values"]
        file.create_group("group/values")


@pytest.mark.parametrize("damage", [no_file, text, cut_short, renamed, numbers, a_group])
def test_damage_is_told(tmp_path, damage):
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as file:
        file["group/values"] = ["a", "b"]
    assert values(path).tolist() == ["a", "b"]
    damage(path)
    with pytest.raises(UNREADABLE):
        values(path)
