"""A cell store whose arrays declare what would fill the memory, or nothing at all."""

import json
import zipfile

import pytest

from slides.five_cells import copy_of_bundle
from sthelar_build.errors import InputError
from sthelar_build.io.xenium.bundle import CELLS_ZARR
from sthelar_build.io.xenium.cells_zarr import nuclei_of
from sthelar_build.io.xenium.nucleus_raster import open_nucleus_raster

OUTLINES, RASTER = "polygon_sets/0/vertices", "masks/0"


def declared(path, array, changes):
    """Change what the metadata of an array say."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = f"{array}/.zarray"
    members[name] = json.dumps(json.loads(members[name]) | changes).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)


@pytest.fixture
def store(tmp_path):
    return copy_of_bundle(tmp_path / "outs", "2.0.0").path(CELLS_ZARR)


ABSURD = {
    "a huge shape": {"shape": [10**12, 10**12]},
    "huge chunks": {"chunks": [10**6, 10**6]},
    "both": {"shape": [10**6, 10**6], "chunks": [10**6, 10**6]},
    "no chunks": {"chunks": [0, 0]},
}


@pytest.mark.parametrize("case", ABSURD)
def test_outlines_are_refused_that_declare(store, case):
    declared(store, OUTLINES, ABSURD[case])
    with pytest.raises(InputError, match=CELLS_ZARR):
        nuclei_of(store, 0.2125)


@pytest.mark.parametrize("case", ABSURD)
def test_a_raster_is_refused_that_declares(store, case):
    declared(store, RASTER, ABSURD[case])
    with pytest.raises(InputError, match=CELLS_ZARR), open_nucleus_raster(store):
        pass
