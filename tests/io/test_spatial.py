import threading
import time
import weakref

import anndata
import dask.array as da
import geopandas
import numpy as np
import pandas as pd
import pytest
import spatialdata
from shapely import box

from sthelar_build.io.spatial import (
    SlideFrames,
    image_element,
    linked_table,
    shapes_element,
    write_store,
)
from sthelar_build.schema.frames import Affine, Frame

PLACE = SlideFrames(Affine(np.diag([2.0, 2.0, 1.0]), Frame.HE, Frame.MORPHOLOGY), pixel_size_um=0.5)


def _matrix(transformation):
    return transformation.to_affine_matrix(("x", "y"), ("x", "y"))


def test_every_frame_reaches_every_coordinate_system():
    to = PLACE.transformations(Frame.HE)
    assert _matrix(to["he"])[0, 0] == 1
    assert _matrix(to["global"])[0, 0] == 2
    assert _matrix(to["um"])[0, 0] == 1
    to = PLACE.transformations(Frame.UM)
    assert _matrix(to["global"])[0, 0] == 2
    assert _matrix(to["he"])[1, 1] == 1


def test_the_first_node_is_the_centre_of_the_first_pixel():
    to = PLACE.of_nodes(left_um=100, top_um=-40, step_um=20)
    centres = np.array([[0.5, 0.5, 1], [1.5, 0.5, 1]]).T
    np.testing.assert_allclose(_matrix(to["um"]) @ centres, [[100, 120], [-40, -40], [1, 1]])
    np.testing.assert_allclose(_matrix(to["global"]) @ centres, [[200, 240], [-80, -80], [1, 1]])
    np.testing.assert_allclose(_matrix(to["he"]) @ centres, [[100, 120], [-40, -40], [1, 1]])


def test_a_multiscale_image_keeps_levels_whose_sizes_were_rounded():
    levels = [da.zeros((1, 101, 50), chunks=32), da.zeros((1, 25, 12), chunks=32)]
    tree = image_element(levels, ["DAPI"], PLACE.transformations(Frame.MORPHOLOGY))
    assert list(tree) == ["scale0", "scale1"]
    assert tree["scale1"].coords["y"].values[0] == pytest.approx(101 / 25 / 2)


def test_an_image_is_written_by_as_many_threads_as_are_given(tmp_path):
    seen = set()

    def block(values):
        seen.add(threading.get_ident())
        time.sleep(0.005)
        return values

    level = da.zeros((1, 128, 128), chunks=(1, 16, 16)).map_blocks(block, meta=np.empty((0, 0, 0)))
    image = image_element([level, level], ["DAPI"], PLACE.transformations(Frame.MORPHOLOGY))
    write_store(tmp_path / "s.zarr", [("morpho", lambda: image)], {}, threads=1)
    assert len(seen) == 1


@pytest.fixture
def square():
    squares = geopandas.GeoDataFrame(geometry=[box(0, 0, 1, 1)] * 2, index=["a-1", "b-1"])
    return lambda: shapes_element(squares, PLACE.transformations(Frame.UM))


def _table():
    obs = pd.DataFrame({"cell_id": ["a-1", "b-1"]}, index=["a-1", "b-1"])
    return linked_table(anndata.AnnData(np.ones((2, 1)), obs=obs), "cells", "cell_id")


def test_what_is_written_one_by_one_is_found_whole_by_consolidated_readers(tmp_path, square):
    makers = [("cells", square), ("one", _table), ("two", _table)]
    write_store(tmp_path / "s.zarr", makers, {"sthelar": {"slide": "x"}})
    found = spatialdata.read_zarr(tmp_path / "s.zarr")
    assert found["cells"].index.tolist() == ["a-1", "b-1"]
    assert set(found.tables) == {"one", "two"}
    assert found.has_consolidated_metadata()
    assert found.attrs["sthelar"] == {"slide": "x"}


def test_what_is_written_is_gone_before_the_next_element_is_made(tmp_path):
    alive = []

    def squares():
        element = geopandas.GeoDataFrame(geometry=[box(0, 0, 1, 1), box(1, 1, 2, 2)])
        element.index = ["a-1", "b-1"]
        alive.append(weakref.ref(element.geometry["b-1"]))
        return shapes_element(element, PLACE.transformations(Frame.UM))

    def table():
        assert [kept() for kept in alive] == [None] * len(alive)
        made = _table()
        alive.append(weakref.ref(made))
        return made

    makers = [("cells", squares), ("one", table), ("two", table)]
    write_store(tmp_path / "s.zarr", makers, {})
    assert len(alive) == 3
